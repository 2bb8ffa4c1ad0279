import { expect, it } from "vitest";
import { fieldErrors, isUnreachable, toProblem } from "./problem";

it("brings every failure into the same shape", () => {
  const problem = {
    type: "/errors/name.taken",
    title: "The name is taken",
    status: 409,
    code: "name.taken",
    detail: "…",
  };
  expect(toProblem(problem)).toBe(problem);
  expect(toProblem(new TypeError("Failed to fetch")).code).toBe("console.unreachable");
  expect(toProblem(new Error("no such chart")).detail).toBe("no such chart");
  expect(toProblem("upstream is down").detail).toContain("upstream is down");
  expect(toProblem("<html>Bad gateway</html>").detail).not.toContain("html");
});

it("tells a server that does not answer from one that refuses", () => {
  expect(isUnreachable(new TypeError("Failed to fetch"))).toBe(true);
  expect(isUnreachable({ code: "forbidden", title: "", detail: "" })).toBe(false);
});

it("finds the messages of a form's fields", () => {
  const fields = [{ field: "name", message: "Too long" }];
  expect(fieldErrors({ code: "request.invalid", title: "", detail: "", fields })).toEqual({ name: "Too long" });
  expect(fieldErrors(null)).toEqual({});
});
