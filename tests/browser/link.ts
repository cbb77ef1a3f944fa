// A link between an agent and the service that can be cut: connections end, and new ones are refused until it is mended.

import { createConnection, createServer, type Server, type Socket } from "node:net";

export class Link {
  readonly url: string;
  readonly #target: number;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(port: number, target: number) {
    this.#port = port;
    this.#target = target;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** From a port that is free to that of an address. */
  static async to(address: string, port: number): Promise<Link> {
    const link = new Link(port, Number(new URL(address).port));
    await link.mend();
    return link;
  }

  cut(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): Promise<void> {
    const server = createServer((near) => {
      const far = createConnection(this.#target, "127.0.0.1");
      for (const [one, other] of [[near, far], [far, near]] as const) {
        this.#sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
  }
}
