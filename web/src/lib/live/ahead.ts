/**
 * Which sessions are to be subscribed to before they are shown.
 *
 * Where everything is held back, the service tells at once which session a rig is in (`coming`), and what it does there only
 * later. Asked for only then, the session would come as much later again.
 */
import type { RigId, RigSession, SessionId } from '../protocol.gen.ts';

/** More is not waited for at a time: a rig that begins one session after the other is shown the latest. */
const MOST = 4;

export class Ahead {
  private readonly rigs = new Set<RigId>();
  private readonly rigOf = new Map<SessionId, RigId>();
  /** Subscribed to and not shown yet, with the rate that was asked for. */
  private readonly ready = new Map<SessionId, number>();

  /** What was announced: the sessions to subscribe to now, of the rig that is shown or the only one there is. */
  take(sessions: readonly RigSession[], shown: SessionId | null, hz: number): SessionId[] {
    for (const { rig, session } of sessions) {
      this.rigs.add(rig);
      this.rigOf.set(session, rig);
    }
    const rig = shown === null ? (this.rigs.size === 1 ? sessions[0]?.rig : undefined) : this.rigOf.get(shown);
    if (rig === undefined) return [];
    const next = sessions.filter((one) => one.rig === rig && one.session !== shown && !this.ready.has(one.session));
    const wanted = next.map(({ session }) => session).slice(0, MOST - this.ready.size);
    wanted.forEach((session) => this.ready.set(session, hz));
    return wanted;
  }

  /** A session is shown now: the rate at which it was subscribed to before; `null` where it was not. */
  show(session: SessionId): number | null {
    const hz = this.ready.get(session) ?? null;
    this.ready.delete(session);
    return hz;
  }

  /** The service does not give it (yet). */
  refuse(session: SessionId): void {
    this.ready.delete(session);
  }

  /** Nothing of it holds on another connection. */
  forget(): void {
    this.rigs.clear();
    this.rigOf.clear();
    this.ready.clear();
  }
}
