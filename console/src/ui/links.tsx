import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink, type LinkComponent } from "@tanstack/react-router";
import { type AnchorHTMLAttributes, forwardRef } from "react";

type Plain = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "style" | "color">;

const AnchorBase = forwardRef<HTMLAnchorElement, AnchorProps & Plain>((props, ref) => (
  <Anchor ref={ref} inherit {...props} />
));
const CreatedAnchor = createLink(AnchorBase);

/** A link inside the console: checked against the routes. */
export const TextLink: LinkComponent<typeof AnchorBase> = (props) => <CreatedAnchor preload="intent" {...props} />;

const ButtonBase = forwardRef<HTMLAnchorElement, ButtonProps & Plain>((props, ref) => (
  <Button component="a" ref={ref} {...props} />
));
const CreatedButton = createLink(ButtonBase);

export const ButtonLink: LinkComponent<typeof ButtonBase> = (props) => <CreatedButton preload="intent" {...props} />;
