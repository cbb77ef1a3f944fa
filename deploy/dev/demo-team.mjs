// The demo's team and rig, made through the public API the first time and found again later.
//
//   node demo-team.mjs <address> <public origin> <login.json>
//
// login.json ({email, password, team, rig, token}) is readable by its owner alone. When the database no longer knows
// what is in it, the team is made anew.

import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

const [address, origin, file] = process.argv.slice(2);
if (!file) throw new Error("usage: demo-team.mjs ADDRESS ORIGIN LOGIN_FILE");

/** A browser's part of the API: cookies are kept, the origin is named. */
class Api {
  #cookies = new Map();

  async call(method, path, body) {
    const response = await fetch(address + path, {
      method,
      headers: {
        origin,
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        ...(body && { "content-type": "application/json" }),
      },
      body: body && JSON.stringify(body),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const [name, ...value] = pair.split("=");
      this.#cookies.set(name.trim(), value.join("="));
    }
    const text = await response.text();
    if (!response.ok) {
      throw Object.assign(new Error(`${method} ${path}: ${response.status} ${text}`), { status: response.status });
    }
    return text ? JSON.parse(text) : undefined;
  }
}

function load() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function save(login) {
  writeFileSync(`${file}.new`, JSON.stringify(login, null, 2) + "\n", { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Logs in with what was kept; undefined when the account is not there (any more). */
async function logIn(api, kept) {
  try {
    await api.call("POST", "/api/auth/login", { email: kept.email, password: kept.password });
    return kept;
  } catch (error) {
    if (error.status === 401) return undefined;
    throw error;
  }
}

async function signUp(api) {
  const login = {
    email: `demo-${randomBytes(3).toString("hex")}@example.com`,
    password: randomBytes(12).toString("base64url"),
  };
  await api.call("POST", "/api/auth/signup", { ...login, name: "Demo Engineer", team_name: "Demo Racing" });
  save(login);
  return login;
}

const api = new Api();
const kept = load();
const login = (kept && (await logIn(api, kept))) ?? (await signUp(api));

const { teams } = await api.call("GET", "/api/me");
const team = teams[0].id;
const rigs = await api.call("GET", `/api/teams/${team}/rigs`);
if (!login.token || !rigs.some((rig) => rig.id === login.rig)) {
  const made = await api.call("POST", `/api/teams/${team}/rigs`, { name: "RIG_A" });
  save({ ...login, team, rig: made.rig.id, token: made.token });
}
