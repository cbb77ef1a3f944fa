/** What the HTTP API answers (ARCHITECTURE.md, "HTTP API"). */
import type {
  CarKey,
  EndReason,
  Game,
  Lap,
  RaceEvent,
  RigId,
  RigState,
  SessionId,
  SessionInfo,
  SessionKind,
  TeamId,
  TokenId,
  UserId,
} from '../protocol.gen.ts';

export interface Me {
  user: { id: UserId; email: string; name: string };
  teams: Team[];
}

export interface Team {
  id: TeamId;
  name: string;
  role: 'owner' | 'member';
}

export interface RigToken {
  id: TokenId;
  /** The part of the token that may be shown. */
  public_id: string;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface Rig {
  id: RigId;
  name: string;
  created_at: string;
  tokens: RigToken[];
  state: RigState;
}

export interface NewRig {
  rig: Rig;
  /** Shown this once. */
  token: string;
}

export interface NewToken {
  token_id: TokenId;
  /** Shown this once. */
  token: string;
}

export interface SessionSummary {
  id: SessionId;
  game: Game;
  kind: SessionKind;
  track: string;
  car_name: string;
  class: string | null;
  driver: string;
  started_at: string;
  last_at: string;
  ended_at: string | null;
  end_reason: EndReason | null;
  laps: number;
  best_ms: number | null;
}

export interface SessionPage {
  sessions: SessionSummary[];
  /** What to pass as `before` for the next page. */
  next: string | null;
}

export interface SessionCar {
  car: CarKey;
  number: string | null;
  class: string | null;
  drivers: string[];
  laps: number;
  best_ms: number | null;
  own: boolean;
}

export interface Stint {
  stint: number;
  driver: string;
  first_lap: number;
  last_lap: number;
  laps: number;
  compound: string | null;
  best_ms: number | null;
  mean_ms: number | null;
}

export interface PitStop {
  stop: number;
  lap: number;
  driver_in: string | null;
  driver_out: string | null;
  entered_s: number | null;
  stopped_s: number | null;
  released_s: number | null;
  exited_s: number | null;
  fuel_in_l: number | null;
  fuel_out_l: number | null;
  virtual_energy_in_pct: number | null;
  virtual_energy_out_pct: number | null;
  compound_in: string | null;
  compound_out: string | null;
}

export interface DriverChange {
  lap: number;
  at_s: number;
  from: string;
  to: string;
}

/** A lap as it is kept, with what it used. */
export type RecordedLap = Lap & {
  stint: number;
  fuel_used_l: number | null;
  fuel_used_kg: number | null;
  virtual_energy_used_pct: number | null;
};

/** What is known of one car of a session. */
export interface CarRecord {
  laps: RecordedLap[];
  stints: Stint[];
  pit_stops: PitStop[];
  driver_changes: DriverChange[];
}

export interface SessionDetail extends CarRecord {
  summary: SessionSummary;
  info: SessionInfo;
  cars: SessionCar[];
  setups: { hash: string; at_s: number }[];
  notes: RaceEvent[];
}
