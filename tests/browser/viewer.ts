// A viewer without a browser: the page's own connection, with its waits and its way of resuming, over a socket of Node's.

import WebSocket from "ws";
import { Connection, type Socket } from "../../web/src/lib/live/connection.ts";
import type { FromWorker } from "../../web/src/lib/live/messages.ts";
import type { Arrival } from "./arrivals.js";

export interface Watched {
  /** The address of the page. */
  url: string;
  /** Its cookies, as a request's head has them. */
  cookie: string;
  team: string;
  session: string;
}

export class Viewer {
  readonly arrivals: Arrival[] = [];
  readonly #connection: Connection;
  readonly #sockets = new Set<WebSocket>();
  readonly #check: ReturnType<typeof setInterval>;
  #isOver = false;

  constructor(watched: Watched) {
    const { url, cookie, team, session } = watched;
    const timers = new Map<number, ReturnType<typeof setTimeout>>();
    let next = 0;
    this.#connection = new Connection({
      open: (address, subprotocol) => this.#open(address, subprotocol, { cookie, origin: url }),
      post: (message) => this.#take(message),
      setTimer: (run, ms) => {
        const id = ++next;
        timers.set(id, setTimeout(() => timers.delete(id) && run(), ms));
        return id;
      },
      clearTimer: (id) => {
        clearTimeout(timers.get(id));
        timers.delete(id);
      },
      random: Math.random,
      now: () => performance.now(),
    });
    this.#connection.handle({ type: "start", url: `${url.replace(/^http/, "ws")}/api/live/ws`, behindMs: 0 });
    this.#connection.handle({ type: "watch", teams: [team] });
    this.#connection.handle({ type: "show", team, session });
    this.#check = setInterval(() => this.#connection.check(), 2000);
  }

  end(): void {
    this.#isOver = true;
    // It stops, and does not come back.
    this.#connection.handle({ type: "login", renewed: false });
    clearInterval(this.#check);
    for (const socket of this.#sockets) socket.terminate();
  }

  #open(address: string, subprotocol: string, headers: Record<string, string>): Socket {
    const socket = new WebSocket(address, subprotocol, { headers, perMessageDeflate: false });
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // Whatever it is, `close` follows.
    socket.on("error", () => {});
    return socket as unknown as Socket;
  }

  #take(message: FromWorker): void {
    if (this.#isOver) return;
    if (message.type === "bad_frame") throw new Error(`a frame that cannot be read: ${message.why}`);
    if (message.type !== "samples") return;
    this.arrivals.push([Date.now(), message.times.at(-1) ?? 0]);
  }
}
