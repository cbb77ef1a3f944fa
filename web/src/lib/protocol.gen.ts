// Generated from the crate `protocol` by its test `types`; `make types` writes it anew. Do not edit.

/**
 * A team: the tenant.
 */
export type TeamId = string;

/**
 * A person with an account.
 */
export type UserId = string;

/**
 * A named installation of the agent.
 */
export type RigId = string;

/**
 * A rig's token (its public part).
 */
export type TokenId = string;

/**
 * One game session of one car as the team followed it. Made by the agent, so that it exists without a connection.
 */
export type SessionId = string;

/**
 * A car within a session, stable over driver swaps. Short text chosen by the source: the game's slot and, where the
 * game gives slots out again, a mark of the vehicle (`17-a3f29c`).
 */
export type CarKey = string;

/**
 * Why something was refused, on a socket or in an HTTP body.
 */
export type ErrorCode = "unauthenticated" | "forbidden" | "not_found" | "invalid" | "conflict" | "rate_limited" | "too_large" | "malformed" | "unsupported_version" | "token_mistyped" | "token_revoked" | "out_of_order" | "unavailable" | "internal" | "confirm_required" | "email_unverified";

/**
 * The game that a session was driven in.
 */
export type Game = "lmu" | "f1" | "rf2";

/**
 * Kind of a session.
 */
export type SessionKind = "test_day" | "practice" | "qualifying" | "warmup" | "race" | "time_trial" | "unknown";

/**
 * What the game is doing, as far as the driver's car goes.
 */
export type GameState = "not_running" | "menu" | "garage" | "on_track" | "paused" | "replay" | "spectating";

/**
 * What a session is. Sent when it begins and again when any of it changes.
 */
export type SessionInfo = {
/**
 * The game.
 */
game: Game,
/**
 * The game's version as it names itself ("1.4.2", "1.18").
 */
game_version: string | null,
/**
 * Kind of the session.
 */
kind: SessionKind,
/**
 * Which of several of its kind, from 1.
 */
kind_number: number | null,
/**
 * Track, as the game names it.
 */
track: string,
/**
 * Length of a lap in metres.
 */
track_length_m: number | null,
/**
 * Our car's key in standings and laps.
 */
car: CarKey,
/**
 * Our car's model ("Porsche 963") or, where the game names none, its entry.
 */
car_name: string,
/**
 * Class ("Hyper", "LMP2", "GT3").
 */
class: string | null,
/**
 * Car number as painted.
 */
number: string | null,
/**
 * The entrant's name.
 */
entrant: string | null,
/**
 * Who is driving our car.
 */
driver: string,
/**
 * When the agent saw the session begin, milliseconds since the Unix epoch, by the agent's clock.
 */
started_at_ms: number,
/**
 * Planned length in seconds, of a timed session.
 */
duration_s: number | null,
/**
 * Planned length in laps, of a session counted in laps.
 */
total_laps: number | null,
/**
 * The multiplayer server's name.
 */
server: string | null, };

/**
 * Phase of a session.
 */
export type Phase = "before" | "formation" | "green" | "full_course_yellow" | "virtual_safety_car" | "stopped" | "over" | "paused";

/**
 * Where a car is with respect to the pits.
 */
export type PitState = "track" | "requested" | "entering" | "stopped" | "exiting" | "garage";

/**
 * Whether and how a car has finished.
 */
export type FinishState = "running" | "finished" | "retired" | "disqualified";

/**
 * One car in the standings. What the game does not tell is absent.
 */
export type CarStanding = {
/**
 * The car.
 */
car: CarKey,
/**
 * Car number as painted.
 */
number: string | null,
/**
 * Who drives it now.
 */
driver: string,
/**
 * Entrant.
 */
entrant: string | null,
/**
 * Model or entry name.
 */
car_name: string | null,
/**
 * Class.
 */
class: string | null,
/**
 * Overall position, from 1.
 */
position: number,
/**
 * Position in class, from 1.
 */
class_position: number | null,
/**
 * Completed laps.
 */
laps: number,
/**
 * Sector that the car is in, 1 to 3.
 */
sector: number | null,
/**
 * Distance since the line in metres.
 */
lap_distance_m: number | null,
/**
 * Gap to the leader in seconds.
 */
gap_s: number | null,
/**
 * Laps behind the leader, where more than 0.
 */
gap_laps: number | null,
/**
 * Interval to the car ahead in seconds.
 */
interval_s: number | null,
/**
 * Laps behind the car ahead, where more than 0.
 */
interval_laps: number | null,
/**
 * Last lap in milliseconds.
 */
last_lap_ms: number | null,
/**
 * Best lap in milliseconds.
 */
best_lap_ms: number | null,
/**
 * Sectors of the last lap in milliseconds, single.
 */
last_sectors_ms: [number | null, number | null, number | null],
/**
 * Sectors of the current lap so far in milliseconds, single.
 */
current_sectors_ms: [number | null, number | null],
/**
 * Pits.
 */
pit: PitState,
/**
 * Number of stops.
 */
pit_stops: number,
/**
 * Outstanding penalties.
 */
penalties: number,
/**
 * Result so far.
 */
finish: FinishState,
/**
 * Tyre compound, as the game names it.
 */
compound: string | null,
/**
 * Virtual energy left in percent.
 */
virtual_energy_pct: number | null,
/**
 * Place on the map: metres east (x) and south (z) in the game's frame.
 */
xz_m: [number, number] | null, };

/**
 * The field at one instant.
 */
export type Standings = {
/**
 * Session time in seconds.
 */
at_s: number,
/**
 * Time left in seconds, of a timed session.
 */
time_left_s: number | null,
/**
 * Phase.
 */
phase: Phase,
/**
 * Sectors under yellow, 1 to 3.
 */
yellow_sectors: Array<number>,
/**
 * The cars in the order of their position.
 */
cars: Array<CarStanding>, };

/**
 * A completed lap of any car, with what was true at the line.
 */
export type Lap = {
/**
 * The car.
 */
car: CarKey,
/**
 * Number of the lap, from 1.
 */
lap: number,
/**
 * Who crossed the line.
 */
driver: string,
/**
 * Lap time in milliseconds; absent where the game counted none (out-lap, cut, invalid).
 */
time_ms: number | null,
/**
 * Single sector times in milliseconds.
 */
sectors_ms: [number | null, number | null, number | null],
/**
 * Whether the game counts it; absent where it does not say.
 */
valid: boolean | null,
/**
 * The lap began in the pit lane or garage.
 */
out_lap: boolean,
/**
 * The lap ended in the pit lane.
 */
in_lap: boolean,
/**
 * Overall position at the line.
 */
position: number | null,
/**
 * Position in class at the line.
 */
class_position: number | null,
/**
 * Class of the car.
 */
class: string | null,
/**
 * Car number.
 */
number: string | null,
/**
 * Session time in seconds at which the lap ended.
 */
at_s: number,
/**
 * Fuel at the line in litres (our car).
 */
fuel_l: number | null,
/**
 * Fuel at the line in kilograms (our car, games that weigh it).
 */
fuel_kg: number | null,
/**
 * Virtual energy at the line in percent (our car).
 */
virtual_energy_pct: number | null,
/**
 * Tyre compound, as the game names it.
 */
compound: string | null,
/**
 * Tyre wear at the line in percent worn, FL FR RL RR (our car).
 */
tire_wear_pct: [number, number, number, number] | null, };

/**
 * Step of a visit to the pits.
 */
export type PitStep = "enter" | "stop" | "go" | "exit";

/**
 * What a note is about.
 */
export type NoteTopic = "incident" | "penalty" | "track_limits" | "other";

/**
 * What happened.
 */
export type RaceEvent = { "kind": "lap" } & Lap | { "kind": "pit",
/**
 * The car.
 */
car: CarKey,
/**
 * Its lap, from 1.
 */
lap: number,
/**
 * Which step.
 */
step: PitStep,
/**
 * Session time in seconds.
 */
at_s: number,
/**
 * Fuel in litres (our car).
 */
fuel_l: number | null,
/**
 * Virtual energy in percent (our car).
 */
virtual_energy_pct: number | null,
/**
 * Tyre compound.
 */
compound: string | null, } | { "kind": "driver_change",
/**
 * The car.
 */
car: CarKey,
/**
 * Its lap, from 1.
 */
lap: number,
/**
 * Who drove.
 */
from: string,
/**
 * Who drives.
 */
to: string,
/**
 * Session time in seconds.
 */
at_s: number, } | { "kind": "phase",
/**
 * The phase.
 */
phase: Phase,
/**
 * Session time in seconds.
 */
at_s: number, } | { "kind": "note",
/**
 * The car it is about, where one is known.
 */
car: CarKey | null,
/**
 * What it is.
 */
topic: NoteTopic,
/**
 * The game's words.
 */
text: string,
/**
 * Session time in seconds.
 */
at_s: number, };

/**
 * Where on the car a setting belongs. The dashboards group by it.
 */
export type SetupArea = "power_unit" | "driveline" | "brakes" | "aero" | "suspension" | "tyres" | "alignment" | "other";

/**
 * A corner of the car.
 */
export type Corner = "fl" | "fr" | "rl" | "rr";

/**
 * One setting.
 */
export type SetupItem = {
/**
 * The game's own name (`VM_BRAKE_BALANCE`, `WM_PRESSURE-W_FL`), unique in the setup.
 */
key: string,
/**
 * Where it belongs.
 */
area: SetupArea,
/**
 * The name for people, without the corner ("Brake bias").
 */
label: string,
/**
 * The corner, for settings that exist once a wheel.
 */
corner?: Corner | null,
/**
 * The value as the game shows it, unit included ("55.0:45.0", "148 kPa").
 */
text: string,
/**
 * The game's step index, where it gives one.
 */
step?: number | null, };

/**
 * A snapshot of the garage settings. Two setups with the same items (key and text) are the same setup.
 */
export type Setup = {
/**
 * The name of the loaded setup file, where the game tells it.
 */
name?: string | null,
/**
 * The settings, in the order of (area, label, corner).
 */
items: Array<SetupItem>, };

/**
 * Why a session ended.
 */
export type EndReason = "left" | "game_closed" | "agent_stopped";

/**
 * What an agent keeps until the service has committed it.
 */
export type SpoolState = {
/**
 * Bytes that wait for an acknowledgement.
 */
bytes: number,
/**
 * Batches and records that wait.
 */
items: number,
/**
 * Age of the oldest of them in milliseconds; absent where nothing waits.
 */
oldest_ms: number | null,
/**
 * How long the backlog still takes, in seconds; absent where there is none or nothing is being sent.
 */
catching_up_s: number | null,
/**
 * Batches and records that were lost for want of room, ever.
 */
lost: number,
/**
 * It is on disk; otherwise it does not survive the agent.
 */
on_disk: boolean, };

/**
 * What a rig is doing.
 */
export type RigState = {
/**
 * The rig.
 */
rig: RigId,
/**
 * Its name.
 */
name: string,
/**
 * Its agent is connected.
 */
connected: boolean,
/**
 * When that became so, milliseconds since the Unix epoch by the service's clock; absent where it never was connected.
 */
since_ms: number | null,
/**
 * Version of the agent.
 */
agent_version: string | null,
/**
 * The game, where one was found.
 */
game: Game | null,
/**
 * What the game is doing.
 */
state: GameState,
/**
 * The session that runs, or the last that ran.
 */
session: SessionId | null,
/**
 * When the last sample came, milliseconds since the Unix epoch by the service's clock.
 */
last_sample_ms: number | null,
/**
 * Something the team should know.
 */
notice: string | null,
/**
 * How far the agent's clock is ahead of the service's, in milliseconds.
 */
clock_skew_ms: number | null,
/**
 * What the agent keeps until it is recorded, as it last said; absent where it has not said anything yet.
 */
spool: SpoolState | null,
/**
 * When the service last acknowledged something to it, milliseconds since the Unix epoch by the service's clock.
 */
acked_ms: number | null, };

/**
 * A rig and the session that it is in.
 */
export type RigSession = {
/**
 * The rig.
 */
rig: RigId,
/**
 * The session.
 */
session: SessionId, };

/**
 * What was seen to be used a lap, of our car: the mean over the latest counted laps, five at most.
 */
export type Consumption = {
/**
 * How many laps it rests on; in-laps, out-laps and laps with a refill do not count.
 */
laps: number,
/**
 * Litres a lap.
 */
fuel_l: number | null,
/**
 * Kilograms a lap.
 */
fuel_kg: number | null,
/**
 * Percent of virtual energy a lap.
 */
virtual_energy_pct: number | null, };

/**
 * How far a viewer has seen a session.
 */
export type SeenUpTo = {
/**
 * Run of the agent.
 */
epoch: number,
/**
 * Sequence of the last batch.
 */
sequence: number, };

/**
 * From a viewer.
 */
export type ViewerMessage = { "type": "watch",
/**
 * The team.
 */
team: TeamId, } | { "type": "subscribe",
/**
 * The team that owns it.
 */
team: TeamId,
/**
 * The session.
 */
session: SessionId,
/**
 * Most batches a second that the viewer wants, and most frames of the field; all of them where absent.
 */
max_hz: number | null,
/**
 * What the viewer has seen last of it, after a break: batches that were kept since come first, a `gap` names what
 * was not kept, then the snapshot follows.
 */
after: SeenUpTo | null, } | { "type": "rate",
/**
 * The session.
 */
session: SessionId,
/**
 * Most batches a second, and most frames of the field; all of them where absent.
 */
max_hz: number | null, } | { "type": "unsubscribe",
/**
 * The session.
 */
session: SessionId, };

/**
 * From the service.
 */
export type ViewMessage = { "type": "hello",
/**
 * The service's clock, milliseconds since the Unix epoch.
 */
server_ms: number,
/**
 * Trace id of this connection, for support.
 */
trace: string, } | { "type": "rigs",
/**
 * The team.
 */
team: TeamId,
/**
 * The rigs.
 */
rigs: Array<RigState>, } | { "type": "coming",
/**
 * The team.
 */
team: TeamId,
/**
 * Those that changed.
 */
sessions: Array<RigSession>, } | { "type": "snapshot",
/**
 * Session.
 */
session: SessionId,
/**
 * Epoch and sequence up to which this is true; what follows has greater ones.
 */
epoch: number,
/**
 * See `epoch`.
 */
sequence: number,
/**
 * What the session is.
 */
info: SessionInfo,
/**
 * The setup in the car.
 */
setup: Setup | null,
/**
 * The latest events, oldest first, laps of our car among them.
 */
events: Array<RaceEvent>,
/**
 * What is used a lap.
 */
consumption: Consumption,
/**
 * It is over.
 */
ended: EndReason | null, } | { "type": "info",
/**
 * Session.
 */
session: SessionId,
/**
 * The facts, whole.
 */
info: SessionInfo, } | { "type": "event",
/**
 * Session.
 */
session: SessionId,
/**
 * What.
 */
event: RaceEvent,
/**
 * It happened before what was shown last: it belongs between the earlier ones, by its session time.
 */
late: boolean, } | { "type": "backfilled",
/**
 * Session.
 */
session: SessionId,
/**
 * Session time of the first sample, in seconds.
 */
from_s: number,
/**
 * Session time of the last sample, in seconds.
 */
to_s: number, } | { "type": "consumption",
/**
 * Session.
 */
session: SessionId,
/**
 * The figures.
 */
consumption: Consumption, } | { "type": "setup",
/**
 * Session.
 */
session: SessionId,
/**
 * The setup, whole.
 */
setup: Setup, } | { "type": "gap",
/**
 * Session.
 */
session: SessionId,
/**
 * First that is missing.
 */
from: number,
/**
 * Last that is missing.
 */
to: number, } | { "type": "pace",
/**
 * Batches a second.
 */
max_hz: number | null, } | { "type": "ended",
/**
 * Session.
 */
session: SessionId,
/**
 * Why.
 */
reason: EndReason, } | { "type": "refused",
/**
 * The session or team that was asked for.
 */
session: SessionId | null,
/**
 * Why, for programs.
 */
code: ErrorCode,
/**
 * Why, for people.
 */
message: string, } | { "type": "goodbye",
/**
 * Why, for people.
 */
reason: string,
/**
 * Milliseconds to wait; absent where reconnecting would not help.
 */
reconnect_after_ms: number | null, };

export const VIEWER_SUBPROTOCOL = "onelap.viewer.v1";
export const OPCODE_SAMPLES = 1;
export const OPCODE_TRACE = 2;
export const BATCH_FORMAT = 1;
export const MAX_BATCH_SAMPLES = 256;
export const MAX_TRACE_SAMPLES = 36000;
export const MAX_BATCH_CHANNELS = 512;
export const OPCODE_STANDINGS = 5;
export const STANDINGS_FORMAT = 1;
export const MAX_CARS = 104;
export const MAX_TEXT = 512;
/** A quantised value that is not there. */
export const ABSENT = -2147483648;

/** The channel catalogue; a channel's number is its place. */
export const CHANNELS = [
  { number: 0, name: "session_time", unit: "s", quantum: 0.001, group: "Lap" },
  { number: 1, name: "lap", unit: "", quantum: 1, group: "Lap" },
  { number: 2, name: "lap_distance", unit: "m", quantum: 0.1, group: "Lap" },
  { number: 3, name: "lap_time", unit: "s", quantum: 0.001, group: "Lap" },
  { number: 4, name: "current_sector", unit: "", quantum: 1, group: "Lap" },
  { number: 5, name: "position", unit: "", quantum: 1, group: "Lap" },
  { number: 6, name: "class_position", unit: "", quantum: 1, group: "Lap" },
  { number: 7, name: "delta_best", unit: "s", quantum: 0.001, group: "Lap" },
  { number: 8, name: "gap_ahead", unit: "s", quantum: 0.001, group: "Lap" },
  { number: 9, name: "gap_behind", unit: "s", quantum: 0.001, group: "Lap" },
  { number: 10, name: "time_left", unit: "s", quantum: 0.1, group: "Lap" },
  { number: 11, name: "speed", unit: "km/h", quantum: 0.1, group: "Motion" },
  { number: 12, name: "position_x", unit: "m", quantum: 0.1, group: "Motion" },
  { number: 13, name: "position_y", unit: "m", quantum: 0.1, group: "Motion" },
  { number: 14, name: "position_z", unit: "m", quantum: 0.1, group: "Motion" },
  { number: 15, name: "g_force_lateral", unit: "g", quantum: 0.01, group: "Motion" },
  { number: 16, name: "g_force_longitudinal", unit: "g", quantum: 0.01, group: "Motion" },
  { number: 17, name: "g_force_vertical", unit: "g", quantum: 0.01, group: "Motion" },
  { number: 18, name: "rpm", unit: "rpm", quantum: 1, group: "Controls" },
  { number: 19, name: "gear", unit: "", quantum: 1, group: "Controls" },
  { number: 20, name: "throttle", unit: "%", quantum: 0.1, group: "Controls" },
  { number: 21, name: "brake", unit: "%", quantum: 0.1, group: "Controls" },
  { number: 22, name: "clutch", unit: "%", quantum: 0.1, group: "Controls" },
  { number: 23, name: "steering", unit: "%", quantum: 0.1, group: "Controls" },
  { number: 24, name: "speed_limiter", unit: "", quantum: 1, group: "Controls" },
  { number: 25, name: "traction_control", unit: "", quantum: 1, group: "Controls" },
  { number: 26, name: "tc_slip", unit: "", quantum: 1, group: "Controls" },
  { number: 27, name: "tc_cut", unit: "", quantum: 1, group: "Controls" },
  { number: 28, name: "abs", unit: "", quantum: 1, group: "Controls" },
  { number: 29, name: "motor_map", unit: "", quantum: 1, group: "Controls" },
  { number: 30, name: "brake_bias", unit: "%", quantum: 0.1, group: "Controls" },
  { number: 31, name: "brake_migration", unit: "", quantum: 1, group: "Controls" },
  { number: 32, name: "front_arb", unit: "", quantum: 1, group: "Controls" },
  { number: 33, name: "rear_arb", unit: "", quantum: 1, group: "Controls" },
  { number: 34, name: "drs", unit: "", quantum: 1, group: "Controls" },
  { number: 35, name: "fuel", unit: "L", quantum: 0.01, group: "Energy" },
  { number: 36, name: "fuel_capacity", unit: "L", quantum: 0.1, group: "Energy" },
  { number: 37, name: "fuel_mass", unit: "kg", quantum: 0.01, group: "Energy" },
  { number: 38, name: "fuel_mass_capacity", unit: "kg", quantum: 0.1, group: "Energy" },
  { number: 39, name: "fuel_laps_left", unit: "laps", quantum: 0.01, group: "Energy" },
  { number: 40, name: "virtual_energy", unit: "%", quantum: 0.01, group: "Energy" },
  { number: 41, name: "battery_charge", unit: "%", quantum: 0.1, group: "Energy" },
  { number: 42, name: "regen_power", unit: "kW", quantum: 1, group: "Energy" },
  { number: 43, name: "ers_store", unit: "MJ", quantum: 0.01, group: "Energy" },
  { number: 44, name: "ers_mode", unit: "", quantum: 1, group: "Energy" },
  { number: 45, name: "ers_deployed", unit: "MJ", quantum: 0.01, group: "Energy" },
  { number: 46, name: "engine_water_temp", unit: "°C", quantum: 0.1, group: "Engine" },
  { number: 47, name: "engine_oil_temp", unit: "°C", quantum: 0.1, group: "Engine" },
  { number: 48, name: "boost_pressure", unit: "kPa", quantum: 0.1, group: "Engine" },
  { number: 49, name: "motor_temp", unit: "°C", quantum: 0.1, group: "Engine" },
  { number: 50, name: "tire_pressures.fl", unit: "kPa", quantum: 0.1, group: "Tyres" },
  { number: 51, name: "tire_pressures.fr", unit: "kPa", quantum: 0.1, group: "Tyres" },
  { number: 52, name: "tire_pressures.rl", unit: "kPa", quantum: 0.1, group: "Tyres" },
  { number: 53, name: "tire_pressures.rr", unit: "kPa", quantum: 0.1, group: "Tyres" },
  { number: 54, name: "tire_temps.fl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 55, name: "tire_temps.fr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 56, name: "tire_temps.rl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 57, name: "tire_temps.rr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 58, name: "tire_temps_left.fl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 59, name: "tire_temps_left.fr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 60, name: "tire_temps_left.rl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 61, name: "tire_temps_left.rr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 62, name: "tire_temps_center.fl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 63, name: "tire_temps_center.fr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 64, name: "tire_temps_center.rl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 65, name: "tire_temps_center.rr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 66, name: "tire_temps_right.fl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 67, name: "tire_temps_right.fr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 68, name: "tire_temps_right.rl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 69, name: "tire_temps_right.rr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 70, name: "tire_inner_temps.fl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 71, name: "tire_inner_temps.fr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 72, name: "tire_inner_temps.rl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 73, name: "tire_inner_temps.rr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 74, name: "tire_carcass_temps.fl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 75, name: "tire_carcass_temps.fr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 76, name: "tire_carcass_temps.rl", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 77, name: "tire_carcass_temps.rr", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 78, name: "tire_wear.fl", unit: "%", quantum: 0.01, group: "Tyres" },
  { number: 79, name: "tire_wear.fr", unit: "%", quantum: 0.01, group: "Tyres" },
  { number: 80, name: "tire_wear.rl", unit: "%", quantum: 0.01, group: "Tyres" },
  { number: 81, name: "tire_wear.rr", unit: "%", quantum: 0.01, group: "Tyres" },
  { number: 82, name: "tire_optimal_temp", unit: "°C", quantum: 0.1, group: "Tyres" },
  { number: 83, name: "tire_compound.fl", unit: "", quantum: 1, group: "Tyres" },
  { number: 84, name: "tire_compound.fr", unit: "", quantum: 1, group: "Tyres" },
  { number: 85, name: "tire_compound.rl", unit: "", quantum: 1, group: "Tyres" },
  { number: 86, name: "tire_compound.rr", unit: "", quantum: 1, group: "Tyres" },
  { number: 87, name: "tire_flat.fl", unit: "", quantum: 1, group: "Tyres" },
  { number: 88, name: "tire_flat.fr", unit: "", quantum: 1, group: "Tyres" },
  { number: 89, name: "tire_flat.rl", unit: "", quantum: 1, group: "Tyres" },
  { number: 90, name: "tire_flat.rr", unit: "", quantum: 1, group: "Tyres" },
  { number: 91, name: "tire_age", unit: "laps", quantum: 1, group: "Tyres" },
  { number: 92, name: "brake_temps.fl", unit: "°C", quantum: 0.5, group: "Brakes" },
  { number: 93, name: "brake_temps.fr", unit: "°C", quantum: 0.5, group: "Brakes" },
  { number: 94, name: "brake_temps.rl", unit: "°C", quantum: 0.5, group: "Brakes" },
  { number: 95, name: "brake_temps.rr", unit: "°C", quantum: 0.5, group: "Brakes" },
  { number: 96, name: "ride_height.fl", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 97, name: "ride_height.fr", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 98, name: "ride_height.rl", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 99, name: "ride_height.rr", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 100, name: "suspension_position.fl", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 101, name: "suspension_position.fr", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 102, name: "suspension_position.rl", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 103, name: "suspension_position.rr", unit: "mm", quantum: 0.1, group: "Suspension" },
  { number: 104, name: "track_temp", unit: "°C", quantum: 0.1, group: "Conditions" },
  { number: 105, name: "ambient_temp", unit: "°C", quantum: 0.1, group: "Conditions" },
  { number: 106, name: "rain", unit: "%", quantum: 1, group: "Conditions" },
  { number: 107, name: "track_wetness", unit: "%", quantum: 1, group: "Conditions" },
  { number: 108, name: "clouds", unit: "%", quantum: 1, group: "Conditions" },
  { number: 109, name: "wind_speed", unit: "m/s", quantum: 0.1, group: "Conditions" },
  { number: 110, name: "pit_state", unit: "", quantum: 1, group: "State" },
  { number: 111, name: "lap_invalid", unit: "", quantum: 1, group: "State" },
  { number: 112, name: "flag", unit: "", quantum: 1, group: "State" },
  { number: 113, name: "headlights", unit: "", quantum: 1, group: "State" },
  { number: 114, name: "track_limit_points", unit: "", quantum: 0.25, group: "State" },
  { number: 115, name: "body_damage", unit: "", quantum: 1, group: "State" },
  { number: 116, name: "front_wing_damage", unit: "%", quantum: 1, group: "State" },
  { number: 117, name: "rear_wing_damage", unit: "%", quantum: 1, group: "State" },
  { number: 118, name: "overheating", unit: "", quantum: 1, group: "State" },
] as const;

export type ChannelName = (typeof CHANNELS)[number]['name'];
export type ChannelGroup = (typeof CHANNELS)[number]['group'];

/** The number of each channel. */
export const Channel = {
  SessionTime: 0,
  Lap: 1,
  LapDistance: 2,
  LapTime: 3,
  CurrentSector: 4,
  Position: 5,
  ClassPosition: 6,
  DeltaBest: 7,
  GapAhead: 8,
  GapBehind: 9,
  TimeLeft: 10,
  Speed: 11,
  PositionX: 12,
  PositionY: 13,
  PositionZ: 14,
  GForceLateral: 15,
  GForceLongitudinal: 16,
  GForceVertical: 17,
  Rpm: 18,
  Gear: 19,
  Throttle: 20,
  Brake: 21,
  Clutch: 22,
  Steering: 23,
  SpeedLimiter: 24,
  TractionControl: 25,
  TcSlip: 26,
  TcCut: 27,
  Abs: 28,
  MotorMap: 29,
  BrakeBias: 30,
  BrakeMigration: 31,
  FrontArb: 32,
  RearArb: 33,
  Drs: 34,
  Fuel: 35,
  FuelCapacity: 36,
  FuelMass: 37,
  FuelMassCapacity: 38,
  FuelLapsLeft: 39,
  VirtualEnergy: 40,
  BatteryCharge: 41,
  RegenPower: 42,
  ErsStore: 43,
  ErsMode: 44,
  ErsDeployed: 45,
  EngineWaterTemp: 46,
  EngineOilTemp: 47,
  BoostPressure: 48,
  MotorTemp: 49,
  TirePressureFl: 50,
  TirePressureFr: 51,
  TirePressureRl: 52,
  TirePressureRr: 53,
  TireTempFl: 54,
  TireTempFr: 55,
  TireTempRl: 56,
  TireTempRr: 57,
  TireTempLeftFl: 58,
  TireTempLeftFr: 59,
  TireTempLeftRl: 60,
  TireTempLeftRr: 61,
  TireTempCenterFl: 62,
  TireTempCenterFr: 63,
  TireTempCenterRl: 64,
  TireTempCenterRr: 65,
  TireTempRightFl: 66,
  TireTempRightFr: 67,
  TireTempRightRl: 68,
  TireTempRightRr: 69,
  TireInnerTempFl: 70,
  TireInnerTempFr: 71,
  TireInnerTempRl: 72,
  TireInnerTempRr: 73,
  TireCarcassTempFl: 74,
  TireCarcassTempFr: 75,
  TireCarcassTempRl: 76,
  TireCarcassTempRr: 77,
  TireWearFl: 78,
  TireWearFr: 79,
  TireWearRl: 80,
  TireWearRr: 81,
  TireOptimalTemp: 82,
  TireCompoundFl: 83,
  TireCompoundFr: 84,
  TireCompoundRl: 85,
  TireCompoundRr: 86,
  TireFlatFl: 87,
  TireFlatFr: 88,
  TireFlatRl: 89,
  TireFlatRr: 90,
  TireAge: 91,
  BrakeTempFl: 92,
  BrakeTempFr: 93,
  BrakeTempRl: 94,
  BrakeTempRr: 95,
  RideHeightFl: 96,
  RideHeightFr: 97,
  RideHeightRl: 98,
  RideHeightRr: 99,
  SuspensionFl: 100,
  SuspensionFr: 101,
  SuspensionRl: 102,
  SuspensionRr: 103,
  TrackTemp: 104,
  AmbientTemp: 105,
  Rain: 106,
  TrackWetness: 107,
  Clouds: 108,
  WindSpeed: 109,
  PitState: 110,
  LapInvalid: 111,
  Flag: 112,
  Headlights: 113,
  TrackLimitPoints: 114,
  BodyDamage: 115,
  FrontWingDamage: 116,
  RearWingDamage: 117,
  Overheating: 118,
} as const;
