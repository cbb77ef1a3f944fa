// A mail server on the loopback that keeps what it is sent, so that a test reads letters as their people do.

import { createServer, type Server, type Socket } from "node:net";
import { until } from "./program.js";

export interface Letter {
  /** From the envelope. */
  to: string;
  subject: string;
  /** The body, decoded. */
  text: string;
}

export class Mailbox {
  readonly #server: Server;
  readonly #port: number;
  readonly #letters: Letter[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      converse(socket, (letter) => this.#letters.push(letter));
    });
  }

  static start(): Promise<Mailbox> {
    const server = createServer();
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        if (typeof address === "object" && address) resolve(new Mailbox(server, address.port));
        else reject(new Error("no port"));
      });
    });
  }

  /** The settings of a service that sends here. */
  get serviceEnv(): Record<string, string> {
    return { SMTP_URL: `smtp://127.0.0.1:${this.#port}`, MAIL_FROM: "1Lap <no-reply@1lap.test>" };
  }

  /** Takes the first letter to this address whose subject has this text; waits for it. */
  async take(to: string, subject: string): Promise<Letter> {
    return until(`the letter "${subject}" to ${to}`, async () => {
      const at = this.#letters.findIndex((letter) => letter.to === to && letter.subject.includes(subject));
      return at < 0 ? undefined : this.#letters.splice(at, 1)[0];
    });
  }

  stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** The link of a letter. */
export function linkOf(letter: Letter): string {
  const link = letter.text.split(/\s+/).find((word) => word.startsWith("http"));
  if (!link) throw new Error(`no link in ${JSON.stringify(letter)}`);
  return link;
}

/** As much of SMTP as a client needs that is content with no extension. */
function converse(socket: Socket, take: (letter: Letter) => void): void {
  let rest = "";
  let to = "";
  /** The lines of a letter while it comes. */
  let data: string[] | null = null;
  const say = (text: string) => socket.write(`${text}\r\n`);

  function line(text: string): void {
    if (data !== null) {
      if (text !== ".") {
        data.push(text.replace(/^\./, ""));
        return;
      }
      take(letterOf(to, data));
      data = null;
      say("250 taken");
      return;
    }
    const verb = text.slice(0, 4).toUpperCase();
    if (verb === "EHLO") say("250-mail.test\r\n250 8BITMIME");
    else if (verb === "RCPT") {
      to = /<([^>]*)>/.exec(text)?.[1] ?? "";
      say("250 ok");
    } else if (verb === "DATA") {
      data = [];
      say("354 go on");
    } else if (verb === "QUIT") {
      socket.end("221 bye\r\n");
    } else {
      say(["MAIL", "RSET", "NOOP"].includes(verb) ? "250 ok" : "502 not known");
    }
  }

  socket.setEncoding("utf8");
  socket.on("error", () => {});
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\r\n");
    rest = lines.pop() ?? "";
    lines.forEach(line);
  });
  say("220 mail.test ESMTP");
}

function letterOf(to: string, lines: string[]): Letter {
  const empty = lines.indexOf("");
  const head = lines.slice(0, empty);
  const subject = head.find((line) => /^subject: /i.test(line))?.slice("subject: ".length) ?? "";
  const isQuoted = head.some((line) => /quoted-printable/i.test(line));
  const body = lines.slice(empty + 1).join("\n");
  return { to, subject, text: isQuoted ? unquoted(body) : body };
}

function unquoted(body: string): string {
  const bytes = body.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}
