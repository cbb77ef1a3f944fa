// The fake game from the outside: what it is driving (`state`), what it has written down (`log`), and what can be done to
// it. The shapes are those of tests/fake-game: state.rs, model/log.rs and control.rs.

import type { Program } from "./program.js";

export interface Corners {
  fl: number;
  fr: number;
  rl: number;
  rr: number;
}

/** What the player's car shows now, in plain units. */
export interface PlayerState {
  connected: boolean;
  in_menu: boolean;
  paused: boolean;
  place: "garage" | "track" | "pit_entry" | "pit_stop" | "pit_exit";
  session_index: number;
  session_kind: SessionKind;
  session_time_s: number;
  track: string;
  car_id: number;
  vehicle_name: string;
  driver: string;
  drivers: string[];
  position: number;
  laps_completed: number;
  lap: number;
  lap_distance_m: number;
  current_lap_s: number;
  last_lap_ms: number | null;
  last_sectors_ms: [number, number, number] | null;
  best_lap_ms: number | null;
  speed_kmh: number;
  rpm: number;
  gear: number;
  throttle: number;
  brake: number;
  fuel_l: number;
  fuel_capacity_l: number;
  virtual_energy: number | null;
  battery: number | null;
  tyre_pressure_kpa: Corners;
  tyre_surface_c: Corners;
  tyre_inner_c: Corners;
  tyre_carcass_c: Corners;
  tyre_remaining: Corners;
  brake_c: Corners;
  water_c: number;
  oil_c: number;
  ambient_c: number;
  track_c: number;
  pit_stops: number;
  /** Key and the text that the garage shows. */
  setup: Record<string, string>;
}

export type SessionKind = "practice" | "qualifying" | "race";

export interface LapRecord {
  car_id: number;
  driver: string;
  lap: number;
  sector1_ms: number | null;
  sector2_ms: number | null;
  sector3_ms: number | null;
  lap_time_ms: number | null;
  valid: boolean;
  pit_in: boolean;
  pit_out: boolean;
  position: number;
  fuel_l: number;
}

export interface RaceLog {
  track: string;
  player_car_id: number;
  sessions: Array<{ index: number; kind: SessionKind; laps: LapRecord[]; ended: boolean }>;
}

/** What can be done to it, with the body where one is needed. */
export interface Commands {
  menu: undefined;
  track: undefined;
  garage: undefined;
  pause: undefined;
  resume: undefined;
  pit: undefined;
  "driver-change": { name: string };
  setup: { key: string; value: number };
  disconnect: undefined;
  reconnect: undefined;
  "end-session": undefined;
  "next-session": { kind: SessionKind };
  weather: { rain?: number; ambient_c?: number };
  incident: undefined;
}

export class FakeGame {
  readonly program: Program;
  readonly restPort: number;
  readonly #control: string;

  private constructor(program: Program, restPort: number, control: string) {
    this.program = program;
    this.restPort = restPort;
    this.#control = control;
  }

  /** A game that was started with `--rest-port 0 --control 0` and says where it listens. */
  static async of(program: Program): Promise<FakeGame> {
    const rest = await program.line(/^rest http:\/\/[^:]+:(\d+)/);
    const control = await program.line(/^control (http:\/\/\S+)/);
    return new FakeGame(program, Number(rest[1]), control[1] ?? "");
  }

  state(): Promise<PlayerState> {
    return this.#ask("GET", "state");
  }

  log(): Promise<RaceLog> {
    return this.#ask("GET", "log");
  }

  /** The player's completed laps in the current session. */
  async laps(): Promise<LapRecord[]> {
    const log = await this.log();
    return log.sessions.at(-1)?.laps.filter((lap) => lap.car_id === log.player_car_id) ?? [];
  }

  /** Resolves with the state after it. */
  do<Name extends keyof Commands>(
    name: Name,
    ...body: Commands[Name] extends undefined ? [] : [Commands[Name]]
  ): Promise<PlayerState> {
    return this.#ask("POST", name, body[0]);
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#control}/${path}`, { method, body: body === undefined ? null : JSON.stringify(body) });
    if (!answer.ok) throw new Error(`fake-game ${method} /${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
