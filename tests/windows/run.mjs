// The shipped agent and the fake game as Windows programs, under Wine: one shows the named mapping, the other reads it.
//
// `make windows-test` runs this. It says where the programs (ONELAP_WINDOWS_BIN) and Wine (ONELAP_WINE) are.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startService } from "./service.mjs";

const { ONELAP_WINE: wine, ONELAP_WINDOWS_BIN: bin } = process.env;
assert.ok(wine && bin, "run it by `make windows-test`");

const folder = mkdtempSync(join(tmpdir(), "onelap-windows-"));
const running = new Set();
let files = 0;

/** A Windows program. It writes to files: Wine's services would inherit a pipe and keep it open for minutes. */
function start(name, ...args) {
  const [out, err] = [join(folder, `${++files}.out`), join(folder, `${files}.err`)];
  const child = spawn(wine, [join(bin, `${name}.exe`), ...args], {
    cwd: folder,
    stdio: ["ignore", openSync(out, "w"), openSync(err, "w")],
  });
  running.add(child);
  const exit = once(child, "exit").then(([code, signal]) => {
    running.delete(child);
    return signal ?? code;
  });
  const said = () => readFileSync(out, "utf8");
  return { child, exit, out: said, all: () => said() + readFileSync(err, "utf8") };
}

async function agent(...args) {
  const program = start("onelap-agent", ...args);
  const code = await program.exit;
  return { code, out: program.out(), all: program.all() };
}

async function until(what, look, tail = () => "") {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) {
    const found = await look();
    if (found) return found;
  }
  assert.fail(`in vain waited for: ${what}\n${tail()}`);
}

async function socket() {
  const made = createSocket("udp4");
  made.bind(0, "127.0.0.1");
  await once(made, "listening");
  return made;
}

/** A UDP port that was free a moment ago. */
async function freePort() {
  const made = await socket();
  const { port } = made.address();
  made.close();
  await once(made, "close");
  return port;
}

let f1Port, listener, game, rest, control;
const datagrams = new Map();
const state = async () => (await fetch(`${control}/state`)).json();
const check = () => agent("check", "--f1-port", String(f1Port), "--lmu-rest-port", rest ? new URL(rest).port : "1");

before(async () => {
  f1Port = await freePort();
  listener = await socket();
  // The first of each kind: its id is the header's seventh byte.
  listener.on("message", (bytes) => datagrams.has(bytes[6]) || datagrams.set(bytes[6], bytes));
});

after(async () => {
  listener.close();
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("the agent says its version", async () => {
  const { code, out } = await agent("--version");
  assert.deepEqual([code, out.trim().split(" ")[0]], [0, "onelap-agent"]);
});

test("without a game, check finds none", async () => {
  const { code, all } = await check();
  assert.match(all, /Le Mans Ultimate does not run/);
  assert.match(all, /no game was found/);
  assert.equal(code, 1);
});

test("the fake game starts", async () => {
  const to = [`127.0.0.1:${f1Port}`, `127.0.0.1:${listener.address().port}`].flatMap((address) => ["--f1", address]);
  game = start("fake-game", "--control", "0", "--rest-port", "0", ...to);
  const line = (name) => game.out().match(new RegExp(`^${name} (\\S+)`, "m"))?.[1];
  control = await until("the control port", () => line("control"), game.all);
  rest = line("rest");
  assert.equal(line("lmu"), "LMU_Data");
});

test("check finds the game in its named mapping, its REST API and its datagrams", async () => {
  const { track, cars } = await state();
  const { all } = await check();
  assert.ok(all.includes(`is found: ${track}, ${cars} cars`), all);
  assert.match(all, /REST API answers/);
  assert.match(all, /F1: datagrams come on UDP port/);
});

test("datagrams of the fake game are decoded, a cut one is refused", async () => {
  const kinds = { 0: "motion", 1: "session", 2: "lap", 4: "participants", 6: "telemetry", 7: "status" };
  await until("datagrams of every kind", () => Object.keys(kinds).every((id) => datagrams.has(Number(id))), game.all);
  for (const [id, bytes] of datagrams) writeFileSync(join(folder, `f1-${id}.bin`), bytes);
  const { track } = await state();
  for (const [id, word] of Object.entries(kinds)) {
    const { code, out, all } = await agent("inspect", "f1", `f1-${id}.bin`);
    assert.equal(code, 0, all);
    const value = JSON.parse(out);
    assert.ok(value.packet.toLowerCase().includes(word), `${value.packet} is no ${word}`);
    assert.equal(value.format, 2025);
    assert.ok(value.data, `${track}: ${out}`);
  }
  writeFileSync(join(folder, "cut.bin"), datagrams.get(6).subarray(0, 900));
  const refused = await agent("inspect", "f1", "cut.bin");
  assert.equal(refused.code, 1);
  assert.match(refused.all, /cut\.bin: .*900/);
});

test("the agent streams what it reads from the mapping", async () => {
  const service = await startService();
  const token = "1lap_rig_0a1b2c3d4e5f_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ01232a2lMV";
  const flags = ["--server", service.url, "--token", token, "--f1", "off", "--lmu-rest-port", new URL(rest).port];
  const run = start("onelap-agent", "run", ...flags);
  try {
    const { track } = await state();
    await until("the agent to be live", () => run.out().includes(`RIG_A of Ours: live: ${track}`), run.all);
    await until("twenty batches", () => service.batches.length >= 20, run.all);
    assert.equal(service.authorization, `Bearer ${token}`);
    assert.deepEqual([service.texts[0].type, service.texts[0].platform], ["hello", "windows"]);
  } finally {
    run.child.kill();
    await run.exit;
    service.stop();
  }
});

test("a recording is made of the mapping", async () => {
  const flags = ["--f1", "off", "--lmu-rest-port", new URL(rest).port];
  const { code, all } = await agent("record", "game.rec", "--seconds", "3", ...flags);
  assert.equal(code, 0, all);
  const inputs = Number(all.match(/: (\d+) inputs in 3 s/)?.[1]);
  assert.ok(inputs >= 30, all);
});

test("the game ends, and its mapping with it", async () => {
  await fetch(`${control}/quit`, { method: "POST" });
  assert.equal(await game.exit, 0, game.all());
  const { all } = await check();
  assert.match(all, /Le Mans Ultimate does not run/);
});
