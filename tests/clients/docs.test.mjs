// Runs the commands of docs/node.md as a reader would.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { nodeProgram, repository } from "./harness.mjs";

const nodes = ["node0", "node1", "node2", "node3", "follower"];

test("docs/node.md works as written", () => {
  const page = readFileSync(join(repository, "docs/node.md"), "utf8");
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  assert.ok(blocks.length >= 6, `${blocks.length} blocks`);
  const directory = mkdtempSync(join(tmpdir(), "polder-docs-"));
  try {
    const script = ["set -eu", ...blocks].join("\n");
    const result = spawnSync("bash", ["-c", script], {
      cwd: directory,
      encoding: "utf8",
      timeout: 120_000,
      env: { ...process.env, PATH: `${dirname(nodeProgram())}:${process.env.PATH}` },
    });
    const logs = nodes.map((name) => join(directory, `${name}.log`)).filter(existsSync);
    const tail = logs.map((path) => readFileSync(path, "utf8").split("\n").slice(-5).join("\n")).join("\n");
    assert.equal(result.status, 0, `${result.stdout}\n${result.stderr}\n${tail}`);
  } finally {
    // The page stops its nodes; one that it did not reach is ended by its own recorded id.
    for (const name of nodes) {
      const file = join(directory, `${name}.pid`);
      if (!existsSync(file)) continue;
      try {
        process.kill(Number(readFileSync(file, "utf8")), "SIGKILL");
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
    }
    rmSync(directory, { recursive: true, force: true });
  }
});
