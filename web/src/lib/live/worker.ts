/** The worker that holds the socket: gives a `Connection` the browser's parts. */
import { Connection, type Socket } from './connection.ts';
import type { FromWorker, ToWorker } from './messages.ts';

interface WorkerScope {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}
const scope = self as unknown as WorkerScope;

const connection = new Connection({
  open: (url, subprotocol) => new WebSocket(url, subprotocol) as Socket,
  post: (message, transfer = []) => scope.postMessage(message, transfer),
  setTimer: (run, ms) => Number(setTimeout(run, ms)),
  clearTimer: (id) => clearTimeout(id),
  random: Math.random,
  now: () => performance.now(),
});
scope.onmessage = (event) => connection.handle(event.data);
setInterval(() => connection.check(), 2000);
