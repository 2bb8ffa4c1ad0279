// Starts a real Polder server with networks of other engines for the client tests, and ends all of it.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repository, until } from "./harness.mjs";

const password = "correct horse battery";

/** The directory of engines' programs, shared by checkouts: `scripts/engines` installs what the tests need. */
export const engines =
  process.env.POLDER_ENGINES || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "polder/engines");

/** The directory where builds of chaincode keep what they download, shared by checkouts. */
const builds = process.env.POLDER_BUILD_CACHE || join(dirname(engines), "builds");

/** POLDER_PROGRAM, else where cargo puts it. */
function program() {
  const target = process.env.CARGO_TARGET_DIR ?? join(repository, "target");
  const path = process.env.POLDER_PROGRAM ?? join(target, "debug", "polder");
  if (!existsSync(path)) throw new Error(`${path} is not there: build it with \`cargo build\``);
  return path;
}

/** A server on a fresh data directory with `members` in one consortium. `close` ends it with every process of it. */
export async function startDeployment(members) {
  const directory = mkdtempSync(join(tmpdir(), "polder-deployment-"));
  const log = join(directory, "server.log");
  const output = openSync(log, "w");
  const server = spawn(
    program(),
    ["server", "run", "--data", join(directory, "data"), "--listen", "127.0.0.1:0", "--log-format", "json"].concat([
      "--on-exit",
      "stop",
    ]),
    {
      stdio: ["ignore", output, output],
      env: {
        ...process.env,
        POLDER_ENGINES: engines,
        POLDER_BUILD_CACHE: builds,
        POLDER_ADMIN_PASSWORD: password,
      },
    },
  );
  const ended = new Promise((done) => server.once("exit", done));
  let url;
  /** Runs the command line as a user and gives its JSON. */
  const as = (user, ...args) => {
    const home = join(directory, user);
    mkdirSync(home, { recursive: true });
    const options = { encoding: "utf8", stdio: ["pipe", "pipe", "pipe"], input: password };
    const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, POLDER_SERVER: url };
    const answer = execFileSync(program(), [...args, "--output", "json"], { ...options, env });
    return answer.trim() === "" ? undefined : JSON.parse(answer);
  };
  const deployment = {
    directory,
    get url() {
      return url;
    },
    /** As the administrator. */
    polder: (...args) => as("admin", ...args),
    /** As a developer of the first member. */
    developer: (...args) => as("dev", ...args),
    async close() {
      // The server stops its nodes; it takes them with it only when it ends by itself.
      server.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
  try {
    url = await until("the server serves", async () => {
      if (server.exitCode !== null) throw new Error(`the server ended: ${readFileSync(log, "utf8")}`);
      const lines = readFileSync(log, "utf8").split("\n");
      return lines.filter((line) => line.includes('"serving"')).map((line) => JSON.parse(line).url)[0];
    });
    await until("the server is ready", async () => (await fetch(`${url}/readyz`)).ok);
    deployment.polder("login", "--server", url, "--user", "admin");
    for (const member of members) deployment.polder("org", "create", member);
    deployment.polder("consortium", "create", "trade", "--members", members.join(","));
    deployment.polder("user", "create", "dev", "--role", `developer:${members[0]}`);
    deployment.developer("login", "--server", url, "--user", "dev");
  } catch (error) {
    await deployment.close();
    throw error;
  }
  return deployment;
}
