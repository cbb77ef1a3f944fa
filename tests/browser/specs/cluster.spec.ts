// Two instances behind nginx under a rig and its engineers: an instance dies, all are restarted, Redis dies, an instance is cut
// off from it, its subscriptions are cut. `make cluster-test`; a short form of it is in `make test`.
//
// CLUSTER_SHORT   1: fewer watch, for shorter, and only the other instance than the rig's is cut off; the limits are the same
// Who measures on a machine that others use measures them too: the load average stands with the figures.
// CLUSTER_SHOTS   a folder: what the pages look like during the switch. Costs time on the machine that is measured.

import { availableParallelism, loadavg } from "node:os";
import { decodeBatch } from "../../../web/src/lib/live/batch.ts";
import { freshAfter, longestGap } from "../arrivals.js";
import { INSTANCES, otherOf } from "../cluster.js";
import { DESK, shoot, Stage } from "../cluster-stage.js";
import { expect, test, until } from "../harness.js";

/** The issue's: an instance is killed, and within this the rig is on the other one and every viewer is live. */
const KILLED_MS = 3000;
/** The issue's: what a viewer may miss of a rolling restart. */
const ROLLING_MS = 2000;
/** Viewers on the rig's own instance do not need Redis; the rest is for a machine that is busy. */
const UNDISTURBED_MS = 1000;
/** Redis is back; the others find it again by themselves. */
const RECOVERED_MS = 5000;
/** What an instance may need more than before: its queues to and from Redis are bounded by 16 MiB each. */
const GROWN_MIB = 64;
/** What Redis may hold of one session and two dozen viewers. */
const REDIS_MIB = 32;

const SHORT = process.env.CLUSTER_SHORT === "1";
const VIEWERS = SHORT ? 16 : 30;
const QUIET_MS = SHORT ? 1500 : 3000;
/** How long Redis is away: the echo that proves it alive may take three seconds. */
const AWAY_MS = SHORT ? 3500 : 5000;

test("instances, Redis and the links to it fail: every viewer is live again, nothing is lost or twice", async ({ browser }, info) => {
  test.skip(!process.env.CLUSTER_URL, "needs a cluster: make cluster-test");
  test.setTimeout(400_000);
  await Stage.with(browser, info.outputDir, QUIET_MS, async (stage) => {
    await stage.fill(VIEWERS);
    await stage.settle();
    await instanceDies(stage);
    await rollingRestart(stage);
    await redisFails(stage);
    await stage.areUntouched();
    await nothingIsLeftSubscribed(stage);
    await compareRecording(stage);
    stage.figures.note(`load average of the machine ${loadavg().map((load) => load.toFixed(1)).join(" ")}, ${availableParallelism()} cores`);
  });
});

/** kill -9 of the rig's instance; it comes back and serves. */
async function instanceDies(stage: Stage): Promise<void> {
  const { cluster, figures, pages } = stage;
  const home = await stage.home();
  const victim = await cluster.pid(home);
  const killed = Date.now();
  process.kill(victim, "SIGKILL");
  const shots = shoot(pages, "killed");
  await until("the rig to be on the other instance", async () => ((await cluster.count(otherOf(home), "onelap_agents")) ?? 0) > 0 || undefined);
  const moved = Date.now() - killed;
  await stage.everybodyIsLiveAfter(killed);
  await shots;
  await stage.settle();
  const back = (await stage.everybody()).map(({ name, arrivals }) => ({ name, ms: freshAfter(arrivals, killed) }));
  figures.add(`${home} killed: the rig is on ${otherOf(home)}`, moved, KILLED_MS);
  const last = back.reduce((a, b) => (b.ms > a.ms ? b : a));
  figures.add(`${home} killed: every viewer is live again (the last: ${last.name})`, last.ms, KILLED_MS);
  await stage.worst(`${home} killed`, killed, Date.now(), KILLED_MS);
  expect.soft(moved, "the rig is on the other instance").toBeLessThanOrEqual(KILLED_MS);
  expect.soft(last.ms, "every viewer is live again").toBeLessThanOrEqual(KILLED_MS);

  await cluster.restart(home);
  if (SHORT) return;
  await stage.open("newcomer", home, DESK);
  figures.note(`${home} restarted: a new page is on it and live`);
  await stage.close("newcomer");
  await stage.settle();
}

async function rollingRestart(stage: Stage): Promise<void> {
  const rolled = Date.now();
  const shots = shoot(stage.pages, "rolling");
  await stage.cluster.rolling();
  await stage.everybodyIsLiveAfter(Date.now());
  const rolledFor = Date.now() - rolled;
  await shots;
  await stage.settle();
  const gap = await stage.worst(`rolling restart (${(rolledFor / 1000).toFixed(1)} s)`, rolled, Date.now(), ROLLING_MS);
  expect.soft(gap, "the longest gap of a rolling restart").toBeLessThanOrEqual(ROLLING_MS);
}

/** Redis dies and comes back; an instance is cut off from it; it cuts the subscriptions. Nothing leaks, nothing grows. */
async function redisFails(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const home = await stage.home();
  const other = otherOf(home);
  // The last instance that was restarted has nobody yet.
  await stage.watchers(VIEWERS / 2);
  if (!SHORT) await stage.open("latecomer", other, DESK);
  await stage.watchers(VIEWERS);
  await stage.settle();
  await subscriptionsAreRight(stage, "before");
  const before = { a: await cluster.memory("a"), b: await cluster.memory("b") };

  const toldHow = { away: AWAY_MS, whoSeesAGap: "the others" } as const;
  await trouble(stage, "Redis killed", { fail: () => cluster.killRedis(), mend: () => cluster.startRedis(), ...toldHow });
  const cut = (instance: typeof home) => ({ fail: () => cluster.cutOff(instance), mend: () => cluster.mend(instance), ...toldHow });
  await trouble(stage, `${other} cut off from Redis`, cut(other));
  if (!SHORT) await trouble(stage, `${home}, the rig's, cut off from Redis`, cut(home));
  const kill = async () => {
    expect(Number((await cluster.askRedis("client", "kill", "type", "pubsub"))[0]), "connections that were killed").toBeGreaterThanOrEqual(2);
  };
  await trouble(stage, "CLIENT KILL of the subscriptions", { fail: kill, mend: async () => {}, away: 0, whoSeesAGap: "maybe the others" });

  for (const instance of INSTANCES) {
    const now = await cluster.memory(instance);
    stage.figures.note(`memory of ${instance}: ${before[instance].toFixed(0)} MiB before Redis failed, ${now.toFixed(0)} MiB after all of it`);
    expect.soft(now, `memory of ${instance}`).toBeLessThanOrEqual(before[instance] + GROWN_MIB);
  }
  const used = (await cluster.askRedis("info", "memory")).find((line) => line.startsWith("used_memory:"))?.split(":")[1];
  stage.figures.note(`memory of Redis: ${(Number(used) / 2 ** 20).toFixed(1)} MiB`);
  expect.soft(Number(used) / 2 ** 20, "memory of Redis").toBeLessThanOrEqual(REDIS_MIB);
}

interface Trouble {
  fail: () => Promise<void>;
  mend: () => Promise<void>;
  /** How long it lasts. */
  away: number;
  whoSeesAGap: "the others" | "maybe the others";
}

/** Viewers on the rig's instance are undisturbed; the others may see a gap, and are live again by themselves. */
async function trouble(stage: Stage, what: string, { fail, mend, away, whoSeesAGap }: Trouble): Promise<void> {
  const { cluster, figures, pages } = stage;
  const home = await stage.home();
  const spread = await stage.spread();
  const failed = Date.now();
  await fail();
  await shoot(pages, what.replaceAll(/\W+/g, "-"));
  await until("a while", async () => Date.now() - failed > away || undefined);
  const mending = Date.now();
  await mend();
  const mended = Date.now();
  await until("both instances to have Redis", async () => {
    const { a, b } = await cluster.counts("onelap_bus_connected");
    return (a === 1 && b === 1) || undefined;
  });
  const connected = Date.now();
  await stage.everybodyIsLiveAfter(mended);
  const over = Date.now();
  const seen = (await stage.everybody()).map(({ name, arrivals }) => ({
    name,
    gap: longestGap(arrivals, failed, mending).ms,
    whole: longestGap(arrivals, failed, over).ms,
    back: freshAfter(arrivals, mended),
  }));
  // Who saw the least of it is who is on the rig's instance: there cannot be more of them.
  const byGap = seen.toSorted((a, b) => a.gap - b.gap);
  const [undisturbed, others] = [byGap.slice(0, spread[home]), byGap.slice(spread[home])];
  const most = (of: number[]) => Math.max(0, ...of);
  const last = seen.reduce((a, b) => (b.whole > a.whole ? b : a));
  figures.note(`${what} for ${mending - failed} ms, rig on ${home}: ${undisturbed.length} viewers there, ${others.length} on the other`);
  figures.add(`${what}: longest gap of viewers on the rig's instance`, most(undisturbed.map(({ whole }) => whole)), UNDISTURBED_MS);
  figures.add(`${what}: longest gap of the others (${last.name})`, most(others.map(({ whole }) => whole)));
  figures.add(`${what}, then mended: both instances are connected to Redis`, connected - mended);
  figures.add(`${what}, then mended: the others are live again`, most(others.map(({ back }) => back)), RECOVERED_MS);
  expect.soft(most(undisturbed.map(({ whole }) => whole)), `${what}: viewers on the rig's instance are undisturbed`).toBeLessThanOrEqual(UNDISTURBED_MS);
  if (whoSeesAGap === "the others") {
    expect.soft(Math.min(...others.map(({ gap }) => gap)), `${what}: the others see a gap`).toBeGreaterThan(UNDISTURBED_MS);
  }
  expect.soft(most(others.map(({ back }) => back)), `${what}: the others are live again`).toBeLessThanOrEqual(RECOVERED_MS);
  await subscriptionsAreRight(stage, what);
  await stage.settle();
}

/** What Redis has of subscriptions: the sessions', how often each, and how many connections hold any. */
async function subscriptions(stage: Stage): Promise<{ live: string[]; echoes: number; connections: number }> {
  const { cluster } = stage;
  const channels = await cluster.askRedis("pubsub", "channels");
  const live = channels.filter((name) => name.startsWith("live:"));
  const counted = live.length === 0 ? [] : await cluster.askRedis("pubsub", "numsub", ...live);
  const connections = (await cluster.askRedis("client", "list", "type", "pubsub")).length;
  return { live: counted, echoes: channels.filter((name) => name.startsWith("echo:")).length, connections };
}

/** The one session is followed once, by the one instance that does not have it; each instance has one connection that subscribes. */
async function subscriptionsAreRight(stage: Stage, when: string): Promise<void> {
  const other = otherOf(await stage.home());
  const wanted = { live: 1, times: "1", echoes: 2, connections: 2, followed: other === "a" ? { a: 1, b: 0 } : { a: 0, b: 1 } };
  const look = async () => {
    const { live, ...rest } = await subscriptions(stage);
    return { live: live.length / 2, times: live[1] ?? "0", ...rest, followed: await stage.cluster.counts("onelap_bus_subscriptions") };
  };
  await expect.poll(look, { message: `subscriptions, ${when}`, timeout: 10_000 }).toEqual(wanted);
}

/** Nobody looks any more: nothing is followed. */
async function nothingIsLeftSubscribed(stage: Stage): Promise<void> {
  await stage.leaveAll();
  const look = async () => ({ ...(await subscriptions(stage)), followed: await stage.cluster.counts("onelap_bus_subscriptions") });
  const wanted = { live: [], echoes: 2, connections: 2, followed: { a: 0, b: 0 } };
  await expect.poll(look, { message: "subscriptions when all have gone", timeout: 20_000 }).toEqual(wanted);
  stage.figures.note("all have gone: no session is subscribed to at Redis, each instance has one connection that subscribes");
}

/** Recorded are the laps that the game drove, and every sample that the agent took, each once. */
async function compareRecording({ request, sessions: api, session, game, taken, figures }: Stage): Promise<void> {
  if (!SHORT) {
    const done = (await game.state()).laps_completed;
    await until("one more lap", async () => (await game.state()).laps_completed > done || undefined, 60_000);
  }
  await game.do("pause");
  const { lap: current } = await game.state();
  const driven = (await game.laps()).map((lap) => [lap.lap, lap.lap_time_ms, lap.sector1_ms, lap.sector2_ms, lap.sector3_ms]);

  const samples = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let lap = 1; lap <= current; lap++) {
      const answer = await request.get(`${api}/${session}/laps/${lap}/trace?channels=lap_distance`);
      // The lap that has just begun may have none.
      if (lap === current && answer.status() === 404) continue;
      expect(answer.status(), `lap ${lap}`).toBe(200);
      times.push(...decodeBatch(new Uint8Array(await answer.body())).times);
    }
    return times;
  };
  const recorded = await until("everything to be recorded", async () => {
    const times = await samples();
    return (times.at(-1) ?? 0) >= Math.max(...taken) ? times : undefined;
  });
  const { sessions } = await (await request.get(api)).json();
  expect(sessions, "the rig's session stayed one").toHaveLength(1);
  const detail = await (await request.get(`${api}/${session}`)).json();
  const laps = detail.laps.map(({ lap, time_ms, sectors_ms }: { lap: number; time_ms: number; sectors_ms: number[] }) => [lap, time_ms, ...sectors_ms]);
  expect(laps).toEqual(driven);

  figures.note(`recorded: ${laps.length} laps, each to the ms as the game drove it; ${recorded.length} samples of ${taken.size} that the agent sent`);
  figures.add("recorded: longest time between two samples", Math.max(...recorded.slice(1).map((at, i) => at - (recorded[i] ?? 0))));
  expect(recorded, "every sample, once, in order").toEqual([...taken].sort((a, b) => a - b));
}
