// What stands on a cluster in its test: a game, its rig, and who watches; and what is measured of them.
//
// Who watches: two browser pages, a desk's and a phone's, one on each instance, and many sockets at full rate with the
// page's own way of coming back. Everybody goes through nginx; nobody presses reload.
//
// Not here: what is done to the cluster (specs/cluster.spec.ts).

import { type APIRequestContext, type Browser, type BrowserContext, type BrowserContextOptions, expect, type Page } from "@playwright/test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Arrival, freshAfter, longestGap } from "./arrivals.js";
import { Cluster, type Instance, otherOf } from "./cluster.js";
import { FakeGame } from "./fake-game.js";
import { binary, until } from "./harness.js";
import { Program } from "./program.js";
import { Viewer } from "./viewer.js";
import { notesOf, takeNotes } from "./watched-page.js";
import { Witness } from "./witness.js";

/** Model seconds per second. */
const SPEED = "4";
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
export const DESK: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };

interface Team {
  team: string;
  rig: string;
  token: string;
}

export interface Watching {
  name: string;
  arrivals: readonly Arrival[];
}

/** What was measured, printed at the end whatever it was. */
export class Figures {
  readonly #rows: string[] = [];
  add(what: string, ms: number, limit?: number): void {
    this.#rows.push(`  ${what.padEnd(84)} ${String(Math.round(ms)).padStart(6)} ms${limit ? `   (at most ${limit})` : ""}`);
  }
  note(what: string): void {
    this.#rows.push(`  ${what}`);
  }
  print(): void {
    console.log(["", ...this.#rows, ""].join("\n"));
  }
}

async function signUp(request: APIRequestContext, url: string): Promise<Team> {
  const headers = { origin: url };
  const person = { name: "Ingrid", email: "ingrid@example.org", password: "correct horse battery", team_name: "Ours" };
  expect((await request.post(`${url}/api/auth/signup`, { headers, data: person })).status()).toBe(201);
  const { teams } = await (await request.get(`${url}/api/me`)).json();
  const team = teams[0].id as string;
  const { rig, token } = await (await request.post(`${url}/api/teams/${team}/rigs`, { headers, data: { name: "RIG_A" } })).json();
  return { team, rig: rig.id as string, token };
}

/** The fake game and the shipped agent with its spool on disk, which finds the service through nginx, seen by a witness. */
class Rig {
  readonly #folder = mkdtempSync(join(tmpdir(), "onelap-cluster-"));
  readonly #programs: Program[] = [];
  #witness: Witness | undefined;

  async start(url: string, token: string, logs: string): Promise<{ game: FakeGame; witness: Witness }> {
    const image = join(this.#folder, "LMU_Data");
    const flags = ["--track", "short", "--cars", "30", "--speed", SPEED, "--seed", "7"];
    const outside = ["--lmu-path", image, "--rest-port", "0", "--control", "0"];
    const game = await FakeGame.of(this.#run("fake-game", "fake-game", [...outside, ...flags], logs));
    const witness = await Witness.before(url);
    this.#witness = witness;
    const where = ["--lmu-path", image, "--lmu-rest-port", String(game.restPort), "--f1", "off", "--server", witness.url];
    this.#run("agent", "onelap-agent", ["run", "--spool", "disk", ...where], logs, {
      ONELAP_TOKEN: token,
      XDG_CONFIG_HOME: this.#folder,
      XDG_STATE_HOME: this.#folder,
    });
    return { game, witness };
  }

  async end(): Promise<void> {
    for (const program of this.#programs.reverse()) await program.end();
    this.#witness?.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(name: string, file: string, args: string[], logs: string, env: Record<string, string> = {}): Program {
    const program = new Program({ name, file: binary(file), args, env, logs });
    this.#programs.push(program);
    return program;
  }
}

const badge = (page: Page) => page.locator("[data-panel=strip] [data-condition]");

/** Pictures of what an engineer sees from now on, where they are wanted. */
export async function shoot(pages: Record<string, Page>, what: string): Promise<void> {
  const folder = process.env.CLUSTER_SHOTS;
  if (!folder) return;
  const began = Date.now();
  for (const after of [0, 600, 1200, 2000, 3500]) {
    await until(`${after} ms`, async () => Date.now() - began >= after || undefined);
    await Promise.all(Object.entries(pages).map(([name, page]) => page.screenshot({ path: join(folder, `${what}-${name}-${after}.png`) })));
  }
}

export class Stage {
  readonly cluster = new Cluster();
  readonly figures = new Figures();
  /** By name. */
  readonly pages: Record<string, Page> = {};
  /** What went wrong inside of pages. */
  readonly errors: string[] = [];
  readonly game: FakeGame;
  readonly session: string;
  readonly request: APIRequestContext;
  readonly #ours: Team;
  readonly #browser: Browser;
  readonly #state: Awaited<ReturnType<BrowserContext["storageState"]>>;
  readonly #witness: Witness;
  readonly #loaded = new Map<string, number>();
  readonly #quietMs: number;
  #viewers: Viewer[] = [];

  private constructor(
    browser: Browser,
    account: BrowserContext,
    state: Awaited<ReturnType<BrowserContext["storageState"]>>,
    rig: { ours: Team; game: FakeGame; witness: Witness; session: string },
    quietMs: number,
  ) {
    this.#browser = browser;
    this.request = account.request;
    this.#state = state;
    [this.#ours, this.game, this.#witness, this.session] = [rig.ours, rig.game, rig.witness, rig.session];
    this.#quietMs = quietMs;
  }

  /** Does something on a stage, and ends what is on it whatever comes of that. Quiet is how long nothing may be amiss before it counts as such. */
  static async with(browser: Browser, logs: string, quietMs: number, act: (stage: Stage) => Promise<void>): Promise<void> {
    const rig = new Rig();
    let stage: Stage | undefined;
    try {
      const { url } = new Cluster();
      const account = await browser.newContext();
      const ours = await signUp(account.request, url);
      const started = await rig.start(url, ours.token, logs);
      const session = await until("a session of the rig", async () => {
        const { sessions } = await (await account.request.get(`${url}/api/teams/${ours.team}/sessions`)).json();
        return sessions[0]?.id as string | undefined;
      });
      stage = new Stage(browser, account, await account.storageState(), { ours, session, ...started }, quietMs);
      await act(stage);
    } finally {
      stage?.figures.print();
      stage?.leave();
      await rig.end();
    }
  }

  /** Times of the samples that the agent has sent to be recorded. */
  get taken(): ReadonlySet<number> {
    return this.#witness.times;
  }

  get sessions(): string {
    return `${this.cluster.url}/api/teams/${this.#ours.team}/sessions`;
  }

  /** The instance that the rig is on. */
  home(): Promise<Instance> {
    return until("the rig to be on an instance", () => this.cluster.home());
  }

  /** So many sockets in all, and a page on each instance. */
  async fill(sockets: number): Promise<void> {
    const home = await this.home();
    await this.open("desk", home, DESK);
    await this.open("phone", otherOf(home), PHONE);
    await this.watchers(sockets);
    const spread = await this.spread();
    this.figures.note(`rig on ${home}; ${sockets} sockets and 2 pages, ${spread.a} on a, ${spread.b} on b; the desk on ${home}, the phone on the other`);
    expect(Math.min(spread.a, spread.b)).toBeGreaterThan(sockets / 4);
  }

  /** That many sockets watch; of those that are too many, the oldest go. */
  async watchers(count: number): Promise<void> {
    for (const viewer of this.#viewers.splice(0, Math.max(0, this.#viewers.length - count))) viewer.end();
    while (this.#viewers.length < count) await this.#watch();
  }

  /** A page on this instance. nginx gives a socket to the instance with fewer: one that came to the other stays until it is done. */
  async open(name: string, instance: Instance, options: BrowserContextOptions): Promise<void> {
    const strays: Page[] = [];
    for (let tries = 0; tries < 8; tries++) {
      const before = await this.spread(strays.length);
      const page = await (await this.#browser.newContext({ ...options, storageState: this.#state })).newPage();
      page.on("pageerror", (error) => this.errors.push(error.message));
      await takeNotes(page);
      await page.goto(`${this.cluster.url}/live/${this.#ours.rig}`);
      await expect(badge(page)).toHaveAttribute("data-condition", "live", { timeout: 30_000 });
      const after = await this.cluster.viewers();
      if (after[instance] > before[instance]) {
        this.pages[name] = page;
        this.#loaded.set(name, (await notesOf(page)).from);
        for (const stray of strays) await stray.context().close();
        return;
      }
      strays.push(page);
    }
    throw new Error(`no page came to instance ${instance}`);
  }

  async close(name: string): Promise<void> {
    await this.pages[name]?.context().close();
    delete this.pages[name];
  }

  /** Everybody who watches goes. */
  async leaveAll(): Promise<void> {
    for (const name of Object.keys(this.pages)) await this.close(name);
    this.leave();
  }

  leave(): void {
    for (const viewer of this.#viewers.splice(0)) viewer.end();
  }

  async everybody(): Promise<Watching[]> {
    const shown = Object.entries(this.pages).map(async ([name, page]) => ({ name, ...(await notesOf(page)) }));
    const sockets = this.#viewers.map((viewer, at) => ({ name: `socket ${at}`, arrivals: viewer.arrivals }));
    return [...(await Promise.all(shown)), ...sockets];
  }

  async everybodyIsLiveAfter(instant: number): Promise<void> {
    await until("every viewer to be live", async () => {
      return (await this.everybody()).every(({ arrivals }) => freshAfter(arrivals, instant) < Infinity) || undefined;
    });
  }

  /** Prints, and returns, the longest gap of a stretch. */
  async worst(what: string, from: number, to: number, limit: number): Promise<number> {
    const gaps = (await this.everybody()).map(({ name, arrivals }) => ({ name, ...longestGap(arrivals, from, to) }));
    const longest = gaps.reduce((a, b) => (b.ms > a.ms ? b : a));
    for (const { name, ms } of gaps.filter(({ name }) => name in this.pages)) this.figures.add(`${what}: longest gap of the ${name}`, ms, limit);
    this.figures.add(`${what}: longest gap of anybody (${longest.name}, ${longest.at - from} ms after the start)`, longest.ms, limit);
    for (const [name, page] of Object.entries(this.pages)) {
      const { moves, badges } = await notesOf(page);
      this.figures.add(`${what}: longest time without a number moving on the ${name}`, longestGap(moves.map((at) => [at, at]), from, to).ms);
      const said = badges.filter(([at]) => at >= from && at <= to).map(([at, kind]) => `${kind} +${at - from}`);
      this.figures.note(`${what}: the ${name}'s badge: ${said.join(", ") || "no change"}`);
    }
    return longest.ms;
  }

  /** Until nothing was amiss for a while. */
  async settle(): Promise<void> {
    const since = Date.now();
    await until("a quiet while", async () => {
      const now = Date.now();
      if (now - since < this.#quietMs) return undefined;
      return (await this.everybody()).every(({ arrivals }) => longestGap(arrivals, now - this.#quietMs + 500, now).ms < 1000) || undefined;
    }, 60_000);
  }

  /** No page was loaded anew, and nothing went wrong inside of one. */
  async areUntouched(): Promise<void> {
    expect(this.errors).toEqual([]);
    for (const [name, page] of Object.entries(this.pages)) {
      expect((await notesOf(page)).from, `the ${name} was not reloaded`).toBe(this.#loaded.get(name));
    }
  }

  /** Viewers by instance, once those that have gone are no longer counted; so many more are there than the stage's own. */
  spread(more = 0): Promise<Record<Instance, number>> {
    return until("the instances to count who is there", async () => {
      const now = await this.cluster.viewers();
      return now.a + now.b === this.#viewers.length + Object.keys(this.pages).length + more ? now : undefined;
    });
  }

  async #watch(): Promise<void> {
    const cookie = this.#state.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const viewer = new Viewer({ url: this.cluster.url, cookie, team: this.#ours.team, session: this.session });
    this.#viewers.push(viewer);
    await until("a viewer's first samples", async () => viewer.arrivals.length > 0 || undefined);
  }
}
