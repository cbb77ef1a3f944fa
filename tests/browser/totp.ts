// An authenticator app: RFC 6238 with SHA-1, six digits, thirty seconds.

import { createHmac } from "node:crypto";

const STEP_MS = 30_000;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export class Authenticator {
  readonly #key: Buffer;
  /** The last step whose code was given out: each is good once. */
  #last = 0;

  /** With the secret as the page shows it. */
  constructor(secret: string) {
    const bits = [...secret.replace(/\s/g, "")].map((char) => BASE32.indexOf(char).toString(2).padStart(5, "0")).join("");
    this.#key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  }

  /** A code that was not given out yet: that of now, or the next one, which is good already. */
  code(): string {
    this.#last = Math.max(this.#last + 1, Math.floor(Date.now() / STEP_MS));
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(this.#last));
    const hash = createHmac("sha1", this.#key).update(counter).digest();
    const at = (hash.at(-1) ?? 0) & 15;
    return String((hash.readUInt32BE(at) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
  }
}
