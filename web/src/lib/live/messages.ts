/** What the page and the worker that holds the socket say to each other. */
import type { SessionId, Standings, TeamId, ViewMessage } from '../protocol.gen.ts';
import type { Batch } from './batch.ts';
import type { LinkState } from './condition.ts';

export type ToWorker =
  /** Connect; what comes is so much older than it is for others. */
  | { type: 'start'; url: string; behindMs: number }
  /** Tell me what these teams' rigs are doing. */
  | { type: 'watch'; teams: TeamId[] }
  /** Show this session, or none. */
  | { type: 'show'; team: TeamId; session: SessionId | null }
  /** So many batches a second are enough. */
  | { type: 'rate'; maxHz: number }
  /** The page is seen, or hidden behind another. */
  | { type: 'seen'; seen: boolean }
  /** Decode what the HTTP API gave. */
  | { type: 'decode'; id: number; bytes: Uint8Array<ArrayBuffer> }
  /** The login was renewed, or it cannot be. */
  | { type: 'login'; renewed: boolean }
  /** The page is seen again or the network is back: a connection that has gone silent is made anew. */
  | { type: 'wake' };

export type FromWorker =
  | { type: 'link'; link: LinkState; why: string | null }
  | { type: 'message'; message: ViewMessage }
  | {
      type: 'samples';
      session: SessionId;
      epoch: number;
      sequence: number;
      times: Float64Array;
      channels: Uint16Array;
      values: Float64Array;
    }
  /** The field of the shown session. */
  | { type: 'standings'; session: SessionId; standings: Standings }
  /** What `decode` gave: the samples, or why there are none. */
  | { type: 'decoded'; id: number; batch: Batch | null; why: string | null }
  /** A frame that could not be read; it was skipped. */
  | { type: 'bad_frame'; why: string }
  /** The socket was not opened; perhaps the login has run out. */
  | { type: 'login_needed' };
