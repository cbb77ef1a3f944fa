// The product as a user meets it, one whole stack a test: a database of its own, the service with the built web app, and
// the fake game and the shipped agent when the test asks for them. Programs come from target/debug (ONELAP_BIN_DIR).
//
//   import { expect, test } from "../harness.js";
//   test("…", async ({ page, stack }) => { await page.goto(stack.url); … await stack.startAgent(token); });

import { test as base, type TestInfo } from "@playwright/test";
import { randomBytes } from "node:crypto";
import { accessSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pg from "pg";
import { FakeGame } from "./fake-game.js";
import { freePort, Program, until } from "./program.js";

export { expect } from "@playwright/test";
export { until } from "./program.js";

const ROOT = resolve(import.meta.dirname, "../..");
const BIN = process.env.ONELAP_BIN_DIR ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug");

/** The path of one of the project's programs. */
export function binary(name: string): string {
  const path = join(BIN, name);
  try {
    accessSync(path);
  } catch {
    throw new Error(`${path} is not there: run make browser-test, or cargo build --workspace --bins`);
  }
  return path;
}

/** URL of a role that may create databases. */
function ownerUrl(): URL {
  const url = process.env.ONELAP_TEST_DATABASE_URL;
  if (!url) throw new Error("ONELAP_TEST_DATABASE_URL is not set: run make browser-test, or source .dev/test/env");
  return new URL(url);
}

async function asOwner(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl().href });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

export interface StackOptions {
  /** How browsers call the service's machine. */
  host: string;
  /** More settings of the service. */
  env: Record<string, string>;
}

export class Stack {
  /** The address in the browser. */
  readonly url: string;
  /** Folder of this test's logs and files. */
  readonly folder: string;
  readonly service: Program;
  readonly #databaseUrl: string;
  readonly #programs: Program[] = [];
  readonly #memory: string;
  #game: FakeGame | undefined;

  private constructor(url: string, folder: string, databaseUrl: string, service: Program) {
    this.url = url;
    this.folder = folder;
    this.service = service;
    this.#databaseUrl = databaseUrl;
    this.#programs.push(service);
    this.#memory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "onelap-test-"));
  }

  static async start(info: TestInfo, { host, env }: StackOptions): Promise<Stack> {
    const database = `browser_${randomBytes(6).toString("hex")}`;
    await asOwner(`CREATE DATABASE ${database}`);
    const databaseUrl = ownerUrl();
    databaseUrl.pathname = `/${database}`;
    const port = await freePort();
    const url = `http://${host}:${port}`;
    const service = new Program({
      name: "service",
      file: binary("onelap-service"),
      args: [],
      env: {
        DATABASE_URL: databaseUrl.href,
        LISTEN: `127.0.0.1:${port}`,
        PUBLIC_URL: url,
        JWT_SECRET: randomBytes(32).toString("hex"),
        RUST_LOG: process.env.RUST_LOG ?? "info",
        ...env,
      },
      logs: info.outputDir,
    });
    const stack = new Stack(url, info.outputDir, databaseUrl.href, service);
    try {
      await stack.#ready(port);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  /** The game's outside, where this stack's agent looks for it; more flags as in `fake-game --help`. */
  async startFakeGame(...flags: string[]): Promise<FakeGame> {
    const where = ["--lmu-path", this.imagePath, "--rest-port", "0", "--control", "0"];
    this.#game = await FakeGame.of(this.#run("fake-game", "fake-game", [...where, ...flags]));
    return this.#game;
  }

  /** The shipped agent with a pasted token, looking for the fake game that was started before. */
  startAgent(token: string, ...flags: string[]): Program {
    const where = ["--lmu-path", this.imagePath, "--f1", "off"];
    if (!flags.includes("--server")) where.push("--server", this.url);
    if (this.#game) where.push("--lmu-rest-port", String(this.#game.restPort));
    return this.#run("agent", "onelap-agent", ["run", ...where, ...flags], {
      ONELAP_TOKEN: token,
      // Not the settings of whoever runs the test.
      XDG_CONFIG_HOME: join(this.folder, "agent"),
      XDG_STATE_HOME: join(this.folder, "agent"),
    });
  }

  /** Where the fake game puts `LMU_Data`. */
  get imagePath(): string {
    return join(this.#memory, "LMU_Data");
  }

  /** Rows straight from this stack's database, as its owner. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.#databaseUrl });
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends what runs, the last started first, and drops the database. */
  async stop(): Promise<void> {
    for (const program of this.#programs.reverse()) await program.end();
    rmSync(this.#memory, { recursive: true, force: true });
    await asOwner(`DROP DATABASE IF EXISTS ${new URL(this.#databaseUrl).pathname.slice(1)} WITH (FORCE)`);
  }

  /** The logs go with a test that failed. */
  async attachLogs(info: TestInfo): Promise<void> {
    for (const program of this.#programs) {
      await info.attach(`${program.name}.log`, { path: program.logFile, contentType: "text/plain" });
    }
  }

  #run(name: string, file: string, args: string[], env: Record<string, string> = {}): Program {
    const program = new Program({ name, file: binary(file), args, env, logs: this.folder });
    this.#programs.push(program);
    return program;
  }

  async #ready(port: number): Promise<void> {
    await until("the service to be ready", async () => {
      if (!this.service.running) throw new Error(`it ended:\n${this.service.tail()}`);
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      return answer.ok || undefined;
    });
  }
}

export const test = base.extend<{ stack: Stack; stackOptions: StackOptions }>({
  stackOptions: [{ host: "localhost", env: {} }, { option: true }],
  stack: async ({ stackOptions }, use, info) => {
    const stack = await Stack.start(info, stackOptions);
    await use(stack);
    if (info.status !== info.expectedStatus) await stack.attachLogs(info);
    await stack.stop();
  },
});
