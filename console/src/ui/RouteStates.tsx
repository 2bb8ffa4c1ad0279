import { Button } from "@mantine/core";
import { useQueryErrorResetBoundary } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { toProblem } from "../api/problem";
import { Empty } from "./Empty";
import { ButtonLink } from "./links";
import { PageHeader } from "./PageHeader";
import { ProblemAlert } from "./ProblemAlert";
import { Lines } from "./QueryView";

export function RoutePending() {
  return <Lines count={8} />;
}

export function NotFound() {
  return (
    <>
      <PageHeader title="Page not found" />
      <Empty title="There is nothing at this address" action={<ButtonLink to="/">Go to the overview</ButtonLink>}>
        The address may be mistyped, or what it showed was deleted.
      </Empty>
    </>
  );
}

/** A page that failed as a whole: also when a part of the console is gone because a newer server replaced it. */
export function RouteFailed({ error }: { error: unknown }) {
  const router = useRouter();
  const { reset } = useQueryErrorResetBoundary();
  const replaced = error instanceof Error && /dynamically imported module|module script/i.test(error.message);
  useEffect(reset, [reset]);
  if (replaced) {
    return (
      <Empty title="The console was updated" action={<Button onClick={() => location.reload()}>Load it again</Button>}>
        The server runs another version now. Load the page again to go on.
      </Empty>
    );
  }
  return (
    <div style={{ padding: 24, maxWidth: 720 }}>
      <ProblemAlert error={toProblem(error)} />
      <Button mt="md" variant="default" onClick={() => router.invalidate()}>
        Try again
      </Button>
    </div>
  );
}
