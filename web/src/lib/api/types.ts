/** What the HTTP API answers, from its own description (`api.gen.ts`). */
import type { components } from '../api.gen.ts';
import type { RaceEvent } from '../protocol.gen.ts';

type Schemas = components['schemas'];

/** The service leaves no field away: what is not known is written as `null`, which the description cannot tell. */
type Written<T> = T extends (infer Item)[]
  ? Written<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Written<Exclude<T[Key], undefined>> }
    : T;

export type Me = Written<Schemas['Me']>;
export type User = Me['user'];
/** One browser in which somebody is logged in. */
export type Login = Written<Schemas['Login']>;
/** What kind of installation this is. */
export type About = Written<Schemas['About']>;
export type Role = Schemas['Role'];
export type Action = Schemas['Action'];
/** Who may do what in a team. */
export type Roles = Written<Schemas['Roles']>;
export type Team = Written<Schemas['Team']>;
export type Rig = Written<Schemas['Rig']>;
export type RigToken = Written<Schemas['Token']>;
/** With its token, which is shown this once. */
export type NewRig = Written<Schemas['NewRig']>;
/** Shown this once. */
export type NewToken = Written<Schemas['NewToken']>;
export type SessionSummary = Written<Schemas['SessionSummary']>;
export type SessionPage = Written<Schemas['SessionPage']>;
export type SessionCar = Written<Schemas['SessionCar']>;
export type CarHistory = Written<Schemas['CarHistory']>;
export type LapRow = Written<Schemas['LapRow']>;
export type StintRow = Written<Schemas['StintRow']>;
export type PitStopRow = Written<Schemas['PitStopRow']>;
export type DriverChangeRow = Written<Schemas['DriverChangeRow']>;
export type SessionDetail = Omit<Written<Schemas['SessionDetail']>, 'notes'> & {
  notes: { at_s: number; event: RaceEvent }[];
};

export type TeamDetail = Written<Schemas['TeamDetail']>;
export type Member = Written<Schemas['Member']>;
export type Invitation = Written<Schemas['Invitation']>;
/** With its link, which is shown this once; none where it was sent by e-mail. */
export type MadeInvitation = Written<Schemas['MadeInvitation']>;
export type InvitationLook = Written<Schemas['InvitationLook']>;
export type Deletion = Written<Schemas['Deletion']>;
export type ApiKey = Written<Schemas['ApiKeyRow']>;
export type ApiKeyScope = Schemas['Scope'];
/** Shown this once. */
export type MadeApiKey = Written<Schemas['MadeApiKey']>;
export type Act = Schemas['Act'];
export type AuditEntry = Omit<Written<Schemas['Entry']>, 'detail'> & { detail: Record<string, unknown> };
export type AuditPage = Omit<Written<Schemas['AuditPage']>, 'entries'> & { entries: AuditEntry[] };

export type ShareKind = Schemas['ShareKind'];
export type Share = Written<Schemas['ShareRow']>;
export type NewShare = Schemas['NewShare'];
/** With its link, which is shown this once. */
export type MadeShare = Written<Schemas['MadeShare']>;
/** What a share link shows, as who has opened it is told. */
export type SharedView = Written<Schemas['SharedView']>;
/** An agent that waits to be paired. */
export type WaitingAgent = Written<Schemas['WaitingAgent']>;
