// A program under test: started, watched, ended by its own pid, its output kept.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** How long a program may take to end after SIGTERM; longer than the service's own shutdown order. */
const END_MS = 20_000;

export interface ProgramOptions {
  /** Its name in messages and of its log. */
  name: string;
  file: string;
  args: string[];
  env?: Record<string, string>;
  /** Folder for `<name>.log`. */
  logs: string;
}

export class Program {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #log: WriteStream;
  readonly #exit: Promise<number | string>;
  #ended: number | string | undefined;
  #lines: string[] = [];
  #waiting: Array<() => void> = [];

  constructor(options: ProgramOptions) {
    this.name = options.name;
    mkdirSync(options.logs, { recursive: true });
    this.logFile = join(options.logs, `${options.name}.log`);
    this.#log = createWriteStream(this.logFile, { flags: "a" });
    this.#child = spawn(options.file, options.args, {
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exit = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(`could not be started: ${error.message}`));
      this.#child.once("exit", (code, signal) => resolve(signal ?? code ?? "unknown"));
    });
    void this.#exit.then((how) => {
      this.#ended = how;
      this.#wake();
    });
    // A write to a program that has ended is found by whoever waits for its effect.
    this.#child.stdin?.on("error", () => {});
    for (const stream of [this.#child.stdout, this.#child.stderr]) this.#read(stream);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#ended === undefined;
  }

  /** Everything it has said so far, standard output and error mixed. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** A line for its standard input. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves with the first line that matches, said already or later; rejects when the program ends or time is up. */
  async line(pattern: RegExp, timeoutMs = 20_000): Promise<RegExpMatchArray> {
    const deadline = Date.now() + timeoutMs;
    for (let next = 0; ; ) {
      for (; next < this.#lines.length; next++) {
        const match = this.#lines[next]?.match(pattern);
        if (match) return match;
      }
      if (!this.running) throw new Error(`${this.name} ended (${this.#ended}) before it said ${pattern}\n${this.tail()}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${this.name} did not say ${pattern} within ${timeoutMs} ms\n${this.tail()}`);
      await this.#news(left);
    }
  }

  /** SIGTERM, or another signal; resolves with the exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | string> {
    this.#kill(signal);
    const killer = setTimeout(() => this.#kill("SIGKILL"), END_MS);
    const how = await this.#exit;
    clearTimeout(killer);
    this.#log.end();
    return how;
  }

  /** A program that could not be started has pid 0 inside Node, and a signal to 0 is one to our own process group. */
  #kill(signal: NodeJS.Signals): void {
    if (this.running && this.#child.pid) this.#child.kill(signal);
  }

  /** The last lines, for messages. */
  tail(count = 20): string {
    return this.#lines.slice(-count).join("\n");
  }

  #read(stream: NodeJS.ReadableStream | null): void {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => {
      this.#log.write(text);
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#wake();
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #news(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** A port of the loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Asks again until `check` gives something; the error names what was waited for and the last reason. */
export async function until<T>(what: string, check: () => Promise<T | undefined>, timeoutMs = 30_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let reason = "";
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined) return found;
    } catch (error) {
      reason = String(error);
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what} ${reason}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
