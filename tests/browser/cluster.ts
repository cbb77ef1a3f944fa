// The cluster that deploy/dev/cluster.sh has started: where it is, what its instances and its Redis count, and what can be
// done to them.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const DEV = join(import.meta.dirname, "../../deploy/dev");

export type Instance = "a" | "b";
export const INSTANCES: readonly Instance[] = ["a", "b"];
type Gauge = "onelap_agents" | "onelap_viewers" | "onelap_bus_connected" | "onelap_bus_subscriptions";

export const otherOf = (instance: Instance): Instance => (instance === "a" ? "b" : "a");

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run make cluster-test, or source the file that cluster.sh env names`);
  return value;
}

export class Cluster {
  /** nginx's address. */
  readonly url = setting("CLUSTER_URL");
  readonly #urls = { a: setting("CLUSTER_URL_A"), b: setting("CLUSTER_URL_B") };
  readonly #links = { a: Number(setting("CLUSTER_LINK_A")), b: Number(setting("CLUSTER_LINK_B")) };
  readonly #name = setting("CLUSTER");

  /** What an instance counts now; nothing where it does not answer. */
  async count(instance: Instance, gauge: Gauge): Promise<number | undefined> {
    try {
      const answer = await fetch(`${this.#urls[instance]}/metrics`);
      const line = new RegExp(`^${gauge} (\\d+)`, "m").exec(await answer.text());
      return line ? Number(line[1]) : undefined;
    } catch {
      return undefined;
    }
  }

  /** What both count now. */
  async counts(gauge: Gauge): Promise<Record<Instance, number>> {
    const [a, b] = await Promise.all([this.count("a", gauge), this.count("b", gauge)]);
    return { a: a ?? 0, b: b ?? 0 };
  }

  /** The instance that has a connected agent. */
  async home(): Promise<Instance | undefined> {
    const { a, b } = await this.counts("onelap_agents");
    return a ? "a" : b ? "b" : undefined;
  }

  async viewers(): Promise<Record<Instance, number>> {
    return this.counts("onelap_viewers");
  }

  async pid(instance: Instance): Promise<number> {
    return Number((await this.#script("cluster.sh", "pid", instance)).trim());
  }

  /** Resident memory of an instance, in MiB. */
  async memory(instance: Instance): Promise<number> {
    const status = await readFile(`/proc/${await this.pid(instance)}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  }

  /** Ends it in order, if it runs, starts it, and waits until nginx uses it. */
  async restart(instance: Instance): Promise<void> {
    await this.#script("cluster.sh", "restart", instance);
  }

  async rolling(): Promise<void> {
    await this.#script("cluster.sh", "rolling");
  }

  /** SIGKILL for Redis; what it held is gone. */
  async killRedis(): Promise<void> {
    await this.#script("redis.sh", "kill", this.#name);
  }

  async startRedis(): Promise<void> {
    await this.#script("redis.sh", "start", this.#name);
  }

  /** What Redis answers, line by line. */
  async askRedis(...words: string[]): Promise<string[]> {
    const answer = await this.#script("redis.sh", "ask", this.#name, ...words);
    return answer.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  }

  /** Between an instance and Redis nothing passes any more, in either direction, and nobody is told. */
  async cutOff(instance: Instance): Promise<void> {
    await this.#tell(instance, "silent");
  }

  async mend(instance: Instance): Promise<void> {
    await this.#tell(instance, "honest");
  }

  #tell(instance: Instance, word: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(this.#links[instance], "127.0.0.1", () => socket.write(`${word}\n`));
      socket.once("error", reject);
      socket.once("data", (answer) => {
        socket.destroy();
        if (answer.toString().trim() === word) resolve();
        else reject(new Error(`the link of ${instance}: ${answer.toString()}`));
      });
    });
  }

  async #script(script: string, ...words: string[]): Promise<string> {
    return (await run(join(DEV, script), words)).stdout;
  }
}
