// `make cluster-check`: what nginx and an instance's order of stopping promise, measured against a cluster that runs.
//
//   node cluster-check.mjs           with the variables of `cluster.sh env`; CLUSTER as cluster.sh reads it
//
// Steady GETs and viewers' sockets go on while an instance is killed, comes back, and both are restarted one after the other. Fails when a GET
// fails, when a socket is without its first message for longer than allowed, or when an instance gets no sockets at all.
// Not here: rigs, sessions and what a browser shows (tests/).

import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";

const url = new URL(process.env.CLUSTER_URL ?? "");
const instances = [process.env.CLUSTER_URL_A, process.env.CLUSTER_URL_B];
const VIEWERS = 40;
const GETS_PER_S = 200;
const MAX_GAP_KILL_MS = 1000;
const MAX_GAP_ROLLING_MS = 2000;

const script = fileURLToPath(new URL("cluster.sh", import.meta.url));
const clusterNow = (...words) => execFileSync(script, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
async function cluster(...words) {
  const [code] = await once(spawn(script, words, { stdio: ["ignore", "ignore", "inherit"] }), "exit");
  if (code !== 0) throw new Error(`cluster.sh ${words.join(" ")} ended with ${code}`);
}

const failures = [];
function must(holds, what) {
  console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
  if (!holds) failures.push(what);
}

// ---- HTTP -------------------------------------------------------------------------------------------------------------

const keepAlive = new Agent({ keepAlive: true });

function call(method, path, { body, headers = {}, base = url } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, base), { method, agent: keepAlive, headers: { origin: url.origin, ...headers } }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }));
      answer.on("error", reject);
    });
    sent.setTimeout(10_000, () => sent.destroy(new Error("no answer in 10 s")));
    sent.on("error", reject);
    if (body) sent.setHeader("content-type", "application/json");
    sent.end(body && JSON.stringify(body));
  });
}

const signUp = (headers) =>
  call("POST", "/api/auth/signup", {
    headers,
    body: {
      email: `check-${randomBytes(6).toString("hex")}@example.com`,
      password: randomBytes(12).toString("base64url"),
      name: "Check",
      team_name: `Check ${randomBytes(3).toString("hex")}`,
    },
  });

/** GETs at a steady rate, whether or not earlier ones were answered. */
class Gets {
  sent = 0;
  failed = [];
  slowest = 0;
  #timer;
  #open = new Set();
  constructor(paths, headers) {
    this.#timer = setInterval(() => {
      const path = paths[this.sent++ % paths.length];
      const began = performance.now();
      const done = call("GET", path, { headers })
        .then(
          ({ status }) => status !== 200 && this.failed.push(`${path}: ${status}`),
          (error) => this.failed.push(`${path}: ${error.message}`),
        )
        .finally(() => {
          this.slowest = Math.max(this.slowest, performance.now() - began);
          this.#open.delete(done);
        });
      this.#open.add(done);
    }, 1000 / GETS_PER_S);
  }
  async end(what) {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    const why = this.failed.length ? ` (${[...new Set(this.failed)].slice(0, 4).join("; ")})` : "";
    must(this.failed.length === 0, `${what}: ${this.sent} GETs, ${this.failed.length} failed${why}, slowest ${Math.round(this.slowest)} ms`);
  }
}

// ---- sockets ----------------------------------------------------------------------------------------------------------

/** A viewer that watches its team and comes back at once when its socket ends; `longest` is its longest time without one that works. */
class Viewer {
  longest = 0;
  ends = [];
  #headers;
  #watch;
  #since = performance.now();
  #socket;
  #isOver = false;
  constructor(headers, team) {
    this.#headers = headers;
    this.#watch = frame(Buffer.from(JSON.stringify({ type: "watch", team })));
    this.ready = new Promise((resolve) => (this.firstReady = resolve));
    this.#connect();
  }
  #connect() {
    const sent = request(new URL("/api/live/ws", url), {
      agent: false,
      headers: {
        origin: url.origin,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": randomBytes(16).toString("base64"),
        "sec-websocket-protocol": "onelap.viewer.v1",
        ...this.#headers,
      },
    });
    sent.setTimeout(5000, () => sent.destroy(new Error("no answer in 5 s")));
    sent.on("response", (answer) => this.#again(`refused: ${answer.statusCode}`, answer.resume()));
    sent.on("error", (error) => this.#again(error.message));
    sent.on("upgrade", (_, socket, head) => {
      socket.setTimeout(0);
      this.#socket = socket;
      socket.on("error", () => {});
      socket.on("close", () => this.#again("closed"));
      const take = (bytes) => {
        // The first answer to `watch`; everything after that only has to keep coming.
        if (this.#since === undefined || !bytes.includes('"rigs"')) return;
        this.longest = Math.max(this.longest, performance.now() - this.#since);
        this.#since = undefined;
        this.firstReady();
      };
      if (head.length) take(head);
      socket.on("data", take);
      // The service closes with a frame and waits for ours; ending the connection is answer enough.
      socket.on("end", () => socket.destroy());
      socket.write(this.#watch);
    });
    sent.end();
  }
  #again(why) {
    if (this.#isOver) return;
    this.#since ??= performance.now();
    this.ends.push(why);
    setTimeout(() => this.#isOver || this.#connect(), 50);
  }
  isLive() {
    return this.#since === undefined;
  }
  forget() {
    this.longest = 0;
    this.ends = [];
  }
  end() {
    this.#isOver = true;
    this.#socket?.destroy();
  }
}

function frame(text) {
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, text.map((byte, at) => byte ^ mask[at % 4])]);
}

async function until(holds, what, seconds = 20) {
  const deadline = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not after ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const viewersOf = async (base) => Number(/^onelap_viewers (\d+)/m.exec((await call("GET", "/metrics", { base })).text)?.[1]);

function gaps(viewers, what, max) {
  const longest = Math.max(...viewers.map((viewer) => viewer.longest));
  const reasons = viewers.flatMap((viewer) => viewer.ends).reduce((all, why) => ({ ...all, [why]: (all[why] ?? 0) + 1 }), {});
  must(longest <= max, `${what}: the longest time of a viewer without a socket was ${Math.round(longest)} ms (at most ${max}); ${JSON.stringify(reasons)}`);
  viewers.forEach((viewer) => viewer.forget());
}

// ---- the run ----------------------------------------------------------------------------------------------------------

const made = await signUp();
must(made.status === 201, `a sign-up through nginx: ${made.status}`);
const headers = { cookie: made.headers["set-cookie"].map((line) => line.split(";")[0]).join("; ") };
const team = JSON.parse(made.text).teams[0].id;
must((await call("GET", "/")).text.includes('<div id="app"'), "the web app comes through nginx");
must((await call("GET", "/metrics")).status === 404, "/metrics is not for the public");

const viewers = Array.from({ length: VIEWERS }, () => new Viewer(headers, team));
const paths = ["/", "/api/me", "/readyz", `/api/teams/${team}/rigs`];
try {
  await until(() => viewers.every((viewer) => viewer.isLive()), "all viewers live");
  const spread = await Promise.all(instances.map(viewersOf));
  must(spread.every((count) => count > VIEWERS / 4), `${VIEWERS} viewers are spread over the instances: ${spread}`);
  viewers.forEach((viewer) => viewer.forget());

  let gets = new Gets(paths, headers);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  clusterNow("kill", "a");
  await until(async () => viewers.every((viewer) => viewer.isLive()) && (await viewersOf(instances[1])) === VIEWERS, "all viewers on b");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await gets.end("a killed (SIGKILL)");
  gaps(viewers, "a killed (SIGKILL)", MAX_GAP_KILL_MS);

  gets = new Gets(paths, headers);
  await cluster("restart", "a");
  await cluster("rolling");
  await until(() => viewers.every((viewer) => viewer.isLive()), "all viewers live");
  await gets.end("rolling restart");
  gaps(viewers, "rolling restart", MAX_GAP_ROLLING_MS);
} finally {
  viewers.forEach((viewer) => viewer.end());
}

// A caller that makes up its address is still one caller: the sign-ups that it may do are used up, on each instance.
const tries = [];
for (let i = 0; i < 2 * Number(process.env.SIGNUPS_PER_ADDRESS ?? 20) + 2; i++) {
  tries.push((await signUp({ "x-real-ip": `192.0.2.${i}`, "x-forwarded-for": `192.0.2.${i}` })).status);
}
must(tries.includes(429), `an address that the caller makes up is not believed: ${tries}`);

await Promise.all([cluster("kill", "a"), cluster("kill", "b")]);
const none = await call("GET", "/api/me", { headers });
must(none.status === 503 && JSON.parse(none.text).error.code === "unavailable", `no instance: ${none.status} ${none.text.trim()}`);
await cluster("restart", "a");
await until(async () => (await call("GET", "/api/me", { headers })).status === 200, "an instance is back", 5);
must(true, "an instance is back, and nginx finds it");
await cluster("restart", "b");

keepAlive.destroy();
if (failures.length) {
  console.log(`\n${failures.length} failed`);
  process.exit(1);
}
