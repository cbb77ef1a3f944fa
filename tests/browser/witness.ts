// What an agent has sent to be recorded, read on its way: the truth that a recording is compared with. A link to the
// service that looks into the frames that go through it.

import { createConnection, createServer, type Server, type Socket } from "node:net";
import { OPCODE_SAMPLES } from "../../web/src/lib/protocol.gen.ts";
import { decodeBatch } from "../../web/src/lib/live/batch.ts";

/** In the crate `protocol`; pages never see it. */
const OPCODE_BACKFILL = 0x04;
/** Batches that are recorded: live ones and backfilled ones. What is only shown comes again. */
const RECORDED = [OPCODE_SAMPLES, OPCODE_BACKFILL];
const BINARY = 0x2;

export class Witness {
  readonly url: string;
  /** Times of all samples that were sent to be recorded. */
  readonly times = new Set<number>();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: URL) {
    this.#server = server;
    const address = server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    server.on("connection", (near) => this.#connect(near, target));
  }

  static async before(url: string): Promise<Witness> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Witness(server, new URL(url));
  }

  end(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(near: Socket, target: URL): void {
    const far = createConnection(Number(target.port), target.hostname);
    for (const [one, other] of [[near, far], [far, near]] as const) {
      one.setNoDelay();
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    const frames = new Frames((bytes) => this.#see(bytes));
    near.on("data", (bytes) => frames.take(bytes));
  }

  #see(bytes: Uint8Array): void {
    if (!RECORDED.includes(bytes[0] ?? 0)) return;
    bytes[0] = OPCODE_SAMPLES;
    for (const time of decodeBatch(bytes).times) this.times.add(time);
  }
}

/** A request, and then what a client says over a WebSocket: masked frames. Agents send whole messages. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);
  #isOpen = false;
  constructor(private readonly binary: (bytes: Uint8Array) => void) {}

  take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (!this.#isOpen) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#isOpen = true;
      this.#rest = this.#rest.subarray(end + 4);
    }
    while (this.#frame()) {}
  }

  #frame(): boolean {
    const rest = this.#rest;
    if (rest.length < 2) return false;
    const short = rest.readUInt8(1) & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (rest.length < head) return false;
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
    const end = head + 4 + length;
    if (rest.length < end) return false;
    if ((rest.readUInt8(0) & 0x0f) === BINARY) {
      const mask = rest.subarray(head, head + 4);
      this.binary(Uint8Array.from(rest.subarray(head + 4, end), (byte, at) => byte ^ (mask[at % 4] ?? 0)));
    }
    this.#rest = rest.subarray(end);
    return true;
  }
}
