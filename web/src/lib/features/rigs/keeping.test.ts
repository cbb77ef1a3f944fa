import { expect, it } from 'vitest';
import { NOW, drivenRig } from '../../fixtures/rigs.ts';
import type { RigState, SpoolState } from '../../protocol.gen.ts';
import { isAtRisk, keeping, keepingBrief, keepingWords, lossText } from './keeping.ts';

const spool = (over: Partial<SpoolState> = {}): SpoolState => ({
  bytes: 52_000,
  items: 90,
  oldest_ms: 9_000,
  catching_up_s: null,
  lost: 0,
  on_disk: true,
  ...over,
});
const rig = (over: Partial<RigState> = {}): RigState => drivenRig({ spool: spool(), acked_ms: NOW - 4_000, ...over });
const hour = 3_600_000;

it.each<[string, Partial<RigState>, string, string]>([
  ['driven, as it should be', {}, 'Recorded up to 4 s ago', 'idle'],
  [
    'in the menu',
    { state: 'menu', spool: spool({ items: 0, bytes: 0, oldest_ms: null }), acked_ms: NOW - 600_000 },
    'All recorded, last 10 min ago',
    'idle',
  ],
  ['just connected', { acked_ms: null, spool: spool({ items: 0 }) }, 'Nothing to record yet', 'idle'],
  ['not known yet', { spool: null }, 'What it keeps is not known yet', 'idle'],
  [
    'after an hour offline',
    { spool: spool({ bytes: 41_200_000, oldest_ms: hour, catching_up_s: 170 }) },
    'Catching up, about 3 min left: 41\u202fMB to record, the oldest from 60 min ago',
    'warn',
  ],
  [
    'the service does not record',
    { spool: spool({ bytes: 3_100_000, oldest_ms: 95_000 }) },
    '3.1\u202fMB wait to be recorded, the oldest for 95 s',
    'warn',
  ],
  [
    'away with all recorded',
    { connected: false, spool: spool({ items: 0 }) },
    'Everything was recorded when it was last heard',
    'idle',
  ],
  [
    'away with something kept',
    { connected: false, spool: spool({ bytes: 480_000 }) },
    'Kept 480\u202fkB when it was last heard; that comes when it is back',
    'idle',
  ],
])('%s', (_name, over, text, tone) => {
  expect(keepingWords(keeping(rig(over), NOW))).toEqual({ text, tone });
});

it('a dashboard says only what is not as usual', () => {
  const brief = (over: Partial<RigState>) => keepingBrief(keeping(rig(over), NOW));
  expect(brief({})).toBe('');
  expect(brief({ connected: false })).toBe('');
  expect(brief({ spool: null })).toBe('');
  expect(brief({ spool: spool({ catching_up_s: 41 }) })).toBe('catching up, 50 s left');
  expect(brief({ spool: spool({ oldest_ms: 300_000 }) })).toBe('not recorded for 5 min');
});

it('says what was lost until somebody has seen that much of it', () => {
  expect(lossText(rig(), 0)).toBeNull();
  expect(lossText(rig({ spool: null }), 0)).toBeNull();
  const lost = rig({ spool: spool({ lost: 12_345 }) });
  expect(lossText(lost, 0)).toMatch(/^12\u202f345 pieces of data were lost: /);
  expect(lossText(lost, 12_345)).toBeNull();
  expect(lossText(lost, 12_000)).not.toBeNull();
  expect(lossText(rig({ spool: spool({ lost: 1 }) }), 0)).toMatch(/^One piece of data was lost/);
});

it('warns where what is kept would not outlive the agent', () => {
  expect([rig(), rig({ spool: null }), rig({ spool: spool({ on_disk: false }) })].map(isAtRisk)).toEqual([
    false,
    false,
    true,
  ]);
});
