import type { Problem } from "./types";

/** Brings whatever a failed request threw into the shape of a problem document, so that all failures look alike. */
export function toProblem(error: unknown): Problem {
  if (isProblem(error)) return error;
  if (error instanceof TypeError) {
    return local(
      "console.unreachable",
      "The server does not answer",
      "Check that Polder is running and that this machine can reach it, then try again.",
    );
  }
  if (error instanceof Error) {
    return local("console.internal", "Something went wrong in the console", error.message);
  }
  const text = typeof error === "string" ? error.trim() : "";
  const answer = text === "" || text.startsWith("<") ? "" : ` It said: ${text.slice(0, 300)}`;
  return local(
    "console.answer",
    "The answer is not what was expected",
    `Something between the console and the server answered in its place.${answer}`,
  );
}

/** Whether no answer came at all. */
export function isUnreachable(error: unknown): boolean {
  return toProblem(error).code === "console.unreachable";
}

function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "code" in error && "title" in error && "detail" in error;
}

/** Problems that arise in the console have no page on the server: `type` is `about:blank`, as RFC 9457 says. */
function local(code: string, title: string, detail: string): Problem {
  return { type: "about:blank", title, status: 0, code, detail };
}

/** Messages by field, for forms. */
export function fieldErrors(error: unknown): Record<string, string> {
  const fields = error == null ? [] : (toProblem(error).fields ?? []);
  return Object.fromEntries(fields.map((field) => [field.field, field.message]));
}
