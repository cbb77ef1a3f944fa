// The smallest service that an agent can talk to: it says welcome and keeps what comes. (Tests of the real one are tests/e2e.)

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const WELCOME = {
  type: "welcome",
  team: "0191f0a0-0000-7000-8000-000000000001",
  team_name: "Ours",
  rig: "0191f0a0-0000-7000-8000-000000000002",
  rig_name: "RIG_A",
  committed: [],
  limits: { max_frame_bytes: 262144, max_batch_samples: 256, max_sample_hz: 60, max_messages_per_s: 200, max_backfill_per_s: 300 },
  trace: "windows",
};

/** Listens on a free port of the loopback. `authorization` is what the agent's request said, `texts` are its control messages, `batches` its binary ones. */
export async function startService() {
  const service = { authorization: undefined, texts: [], batches: [] };
  const server = createServer();
  const sockets = new Set();
  server.on("upgrade", (request, socket) => {
    sockets.add(socket);
    service.authorization = request.headers.authorization;
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    const protocol = request.headers["sec-websocket-protocol"];
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
        `Sec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    socket.on("error", () => {});
    let rest = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      rest = Buffer.concat([rest, bytes]);
      for (let frame = take(rest); frame; frame = take(rest)) {
        rest = rest.subarray(frame.end);
        if (frame.opcode === 2) service.batches.push(frame.payload);
        if (frame.opcode !== 1) continue;
        const message = JSON.parse(frame.payload.toString("utf8"));
        service.texts.push(message);
        if (message.type === "hello") socket.write(text({ ...WELCOME, server_ms: Date.now() }));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  service.url = `http://127.0.0.1:${server.address().port}`;
  service.stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return service;
}

/** The first whole frame of a client, unmasked. */
function take(bytes) {
  if (bytes.length < 6) return undefined;
  const short = bytes[1] & 0x7f;
  const start = { 126: 4, 127: 10 }[short] ?? 2;
  if (bytes.length < start + 4) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const mask = bytes.subarray(start, start + 4);
  const end = start + 4 + length;
  if (bytes.length < end) return undefined;
  const payload = Buffer.from(bytes.subarray(start + 4, end).map((byte, i) => byte ^ mask[i % 4]));
  return { opcode: bytes[0] & 0x0f, payload, end };
}

/** A text frame of a server. */
function text(value) {
  const payload = Buffer.from(JSON.stringify(value));
  const head = Buffer.from([0x81, 126, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
