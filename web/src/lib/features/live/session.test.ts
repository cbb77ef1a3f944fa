import { describe, expect, it } from 'vitest';
import type { Lap, RaceEvent, SessionInfo, Setup, Standings, ViewMessage } from '../../protocol.gen.ts';
import { LiveSession } from './session.svelte.ts';

const info: SessionInfo = {
  game: 'lmu',
  game_version: null,
  kind: 'race',
  kind_number: null,
  track: 'Spa',
  track_length_m: 7004,
  car: '17',
  car_name: 'Porsche 963',
  class: 'Hyper',
  number: '5',
  entrant: null,
  driver: 'A',
  started_at_ms: 0,
  duration_s: 14400,
  total_laps: null,
  server: null,
};
const lap = (number: number, car = '17', time_ms = 125_000): RaceEvent => ({
  kind: 'lap',
  ...({ car, lap: number, driver: 'A', time_ms, sectors_ms: [null, null, null], at_s: number * 125 } as unknown as Lap),
});
const setup = (text: string): Setup => ({ items: [{ key: 'K', area: 'aero', label: 'Wing', text }] });
const snapshot = (over: Partial<Extract<ViewMessage, { type: 'snapshot' }>> = {}): ViewMessage => ({
  type: 'snapshot',
  session: 's',
  epoch: 1,
  sequence: 10,
  info,
  setup: null,
  events: [],
  consumption: { laps: 0, fuel_l: null, fuel_kg: null, virtual_energy_pct: null },
  ended: null,
  ...over,
});
const opened = (over = {}): LiveSession => {
  const session = new LiveSession('s');
  session.apply(snapshot(over));
  return session;
};

describe('LiveSession', () => {
  it('lists our own laps, latest first, each once', () => {
    const session = opened({ events: [lap(1), lap(2), lap(2, '9')] });
    session.apply({ type: 'event', session: 's', event: lap(3), late: false });
    session.apply({ type: 'event', session: 's', event: lap(3, '17', 124_000), late: false });
    expect(session.laps.map((l) => [l.lap, l.time_ms])).toEqual([
      [3, 124_000],
      [2, 125_000],
      [1, 125_000],
    ]);
  });

  it('ignores other sessions', () => {
    const session = opened();
    session.apply({ type: 'ended', session: 'other', reason: 'left' });
    session.apply(snapshot({ session: 'other', setup: setup('1') }));
    expect([session.ended, session.setup]).toEqual([false, null]);
  });

  it('compares a setup with the one before, also over a reconnect', () => {
    const session = opened({ setup: setup('1') });
    expect(session.previousSetup).toBeNull();
    session.apply({ type: 'setup', session: 's', setup: setup('2') });
    session.apply(snapshot({ setup: setup('2') }));
    expect(session.previousSetup).toEqual(setup('1'));
    expect(session.setup).toEqual(setup('2'));
  });

  it('takes a recorded setup to compare with only where it has none and where it differs', () => {
    const session = opened({ setup: setup('2') });
    session.compareWith(setup('2'));
    expect(session.previousSetup).toBeNull();
    session.compareWith(setup('1'));
    session.compareWith(setup('0'));
    expect(session.previousSetup).toEqual(setup('1'));
  });

  it('knows when it could not keep up and when it is over', () => {
    const session = new LiveSession('s', () => 7000);
    session.apply(snapshot());
    expect(session.thinned).toBeNull();
    session.apply({ type: 'gap', session: 's', from: 11, to: 20 });
    session.apply({ type: 'ended', session: 's', reason: 'game_closed' });
    expect(session.thinned).toEqual({ atMs: 7000, batches: 10 });
    expect([session.ended, session.endReason]).toEqual([true, 'game_closed']);
    session.apply(snapshot());
    expect([session.ended, session.thinned]).toEqual([false, null]);
  });

  it('keeps the field over a snapshot, which the field follows', () => {
    const session = opened();
    const field: Standings = { at_s: 1, time_left_s: null, phase: 'green', yellow_sectors: [], cars: [] };
    session.takeStandings('other', field);
    expect(session.standings).toBeNull();
    session.takeStandings('s', field);
    session.apply(snapshot());
    expect(session.standings).toEqual(field);
  });

  it('keeps pit steps and driver changes of our car, and all notes', () => {
    const session = opened();
    const at_s = 1;
    const events: RaceEvent[] = [
      { kind: 'driver_change', car: '9', lap: 1, from: 'X', to: 'Y', at_s },
      { kind: 'driver_change', car: '17', lap: 1, from: 'A', to: 'B', at_s },
      { kind: 'note', car: '9', topic: 'incident', text: 'contact', at_s },
    ];
    events.forEach((event) => session.apply({ type: 'event', session: 's', event, late: false }));
    expect(session.happenings.map((h) => h.kind)).toEqual(['note', 'driver_change']);
  });

  const note = (text: string, at_s: number): RaceEvent => ({ kind: 'note', car: '17', topic: 'other', text, at_s });
  const tell = (session: LiveSession, event: RaceEvent, late: boolean) =>
    session.apply({ type: 'event', session: 's', event, late });
  const notes = (session: LiveSession) =>
    session.happenings.map((h) => [h.kind === 'note' ? h.text : h.kind, session.isLate(h)]);

  it('puts what comes late where it belongs, and marks it', () => {
    const session = opened({ events: [lap(1), note('a', 100)] });
    session.sawTime(130);
    tell(session, lap(4), false);
    tell(session, note('d', 510), false);
    tell(session, lap(2), true);
    tell(session, lap(3), true);
    tell(session, note('b', 240), true);
    tell(session, note('c', 240), true);
    expect(session.laps.map((l) => [l.lap, session.isLate({ kind: 'lap', ...l })])).toEqual([
      [4, false],
      [3, true],
      [2, true],
      [1, false],
    ]);
    expect(notes(session)).toEqual([
      ['d', false],
      ['c', true],
      ['b', true],
      ['a', false],
    ]);
  });

  it('does not call late what happened before the page was opened', () => {
    const session = opened();
    tell(session, lap(1), true);
    session.sawTime(300);
    tell(session, lap(2), true);
    tell(session, note('a', 10), true);
    expect(session.late.size).toBe(0);
    expect(session.laps.map((l) => l.lap)).toEqual([2, 1]);
  });

  it('neither loses nor doubles events when a snapshot comes again, and remembers which were late', () => {
    const session = opened({ events: [lap(1), note('a', 100)] });
    session.sawTime(130);
    tell(session, lap(2), true);
    tell(session, note('b', 240), true);
    // The service keeps only so many events: what it no longer has stays on the page.
    session.apply(snapshot({ events: [note('b', 240), lap(2), lap(3)] }));
    tell(session, lap(2), true);
    expect(session.laps.map((l) => l.lap)).toEqual([3, 2, 1]);
    expect(notes(session)).toEqual([
      ['b', true],
      ['a', false],
    ]);
    expect(session.isLate(lap(2))).toBe(true);
    expect(session.isLate(lap(3))).toBe(false);
  });
});
