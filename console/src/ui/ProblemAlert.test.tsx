import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { ProblemAlert } from "./ProblemAlert";

const show = (error: unknown) => render(<ProblemAlert error={error} />, { wrapper: MantineProvider });

it("is absent without an error", () => {
  show(null);
  expect(screen.queryByRole("alert")).toBeNull();
});

it("says what happened, what is wrong with which field, and where the code is explained", () => {
  show({
    type: "/errors/name.taken",
    title: "The name is taken",
    status: 409,
    code: "name.taken",
    detail: "Choose another name.",
    instance: "req_1",
    fields: [{ field: "name", message: "There is a network demo" }],
  });
  const alert = screen.getByRole("alert");
  expect(alert.textContent).toContain("Choose another name.");
  expect(alert.textContent).toContain("There is a network demo");
  expect(alert.textContent).toContain("req_1");
  expect(screen.getByRole("link").getAttribute("href")).toBe("/errors/name.taken");
});

it("has no link for what the console itself found", () => {
  show(new TypeError("Failed to fetch"));
  expect(screen.getByRole("alert").textContent).toContain("The server does not answer");
  expect(screen.queryByRole("link")).toBeNull();
});
