import { describe, expect, it } from 'vitest';
import { Client } from '../../api/client.ts';
import { Pairing } from './pairing.svelte.ts';

const agent = {
  name: 'SIM-PC',
  address: '10.0.0.7',
  created_at: '2026-11-20T12:00:00Z',
  expires_at: '2026-11-20T12:10:00Z',
};

function pairing(...answers: [status: number, body: unknown][]) {
  const asked: [path: string, body: unknown][] = [];
  const fetcher = ((path: string, init: RequestInit) => {
    asked.push([path, JSON.parse(init.body as string)]);
    const [status, body] = answers.shift() ?? [500, null];
    return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(body), { status }));
  }) as typeof fetch;
  return { pairing: new Pairing(new Client(fetcher)), asked };
}
const refused = (code: string, field?: string) => ({ error: { code, message: 'no', field, trace: 'x' } });

describe('Pairing', () => {
  it('shows who asks before anything is decided, and approves as a new rig or one that there is', async () => {
    for (const [choice, sent] of [
      [{ rig: null, name: 'RIG_A' }, { rig_name: 'RIG_A' }],
      [{ rig: 'r', name: 'RIG_A' }, { rig: 'r' }],
    ] as const) {
      const { pairing: one, asked } = pairing([200, agent], [200, { rig: 'r' }]);
      await one.approve('t', choice);
      expect(asked).toEqual([]);
      await one.look('t', 'bcdf ghjk');
      expect(one.step).toEqual({ at: 'decide', code: 'BCDF-GHJK', agent });
      await one.approve('t', choice);
      expect(one.step).toMatchObject({ at: 'approved', team: 't', rig: 'r', rigName: 'RIG_A' });
      expect(asked).toEqual([
        ['/api/teams/t/pairings/look', { user_code: 'BCDF-GHJK' }],
        ['/api/teams/t/pairings/approve', { user_code: 'BCDF-GHJK', ...sent }],
      ]);
    }
  });

  it('keeps an agent out', async () => {
    const { pairing: one, asked } = pairing([200, agent], [204, null]);
    await one.look('t', 'BCDF-GHJK');
    await one.deny('t');
    expect([one.step.at, asked[1]?.[0]]).toEqual(['denied', '/api/teams/t/pairings/deny']);
  });

  it('says of a code that nobody waits with what to do, and stays where it was', async () => {
    const { pairing: one } = pairing([404, refused('not_found')], [200, agent], [404, refused('not_found')]);
    await expect(one.look('t', 'BCDF-GHJK')).rejects.toMatchObject({ field: 'user_code', message: /begin again/ });
    expect(one.step.at).toBe('code');
    await one.look('t', 'BCDF-GHJK');
    await expect(one.deny('t')).rejects.toMatchObject({ field: 'user_code' });
    expect(one.step.at).toBe('decide');
  });

  it('finds the field that a taken name belongs to', async () => {
    const { pairing: one } = pairing([200, agent], [409, refused('conflict', 'name')]);
    await one.look('t', 'BCDF-GHJK');
    await expect(one.approve('t', { rig: null, name: 'RIG_A' })).rejects.toMatchObject({
      status: 409,
      field: 'rig_name',
    });
  });
});
