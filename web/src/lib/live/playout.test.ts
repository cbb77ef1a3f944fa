import { expect, it } from 'vitest';
import { DELAY_MS, Playout } from './playout.ts';

it('runs evenly though batches come unevenly', () => {
  const playout = new Playout();
  let last = 0;
  for (let i = 0; i < 40; i += 1) {
    const jitter = (i * 37) % 60;
    playout.arrived(i * 100, 5000 + i * 100 + jitter);
    const shown = playout.at(5000 + i * 100 + 99, i * 100);
    if (i > 0) expect(Math.abs(shown - last - 100)).toBeLessThan(12);
    last = shown;
  }
});

it('jumps after a pause and stands still when nothing comes', () => {
  const playout = new Playout();
  playout.arrived(1000, 0);
  expect(playout.at(0, 1000)).toBe(1000 - DELAY_MS);
  expect(playout.at(10_000, 1000)).toBe(1000);
  playout.arrived(60_000, 20_000);
  expect(playout.at(20_000, 60_000)).toBe(60_000 - DELAY_MS);
});

it('runs evenly also where few batches are asked for', () => {
  const playout = new Playout();
  playout.expect(5);
  let last = NaN;
  for (let i = 0; i < 40; i += 1) {
    playout.arrived(i * 200, 5000 + i * 200 + ((i * 37) % 40));
    for (const part of [50, 100, 150, 199]) {
      const shown = playout.at(5000 + i * 200 + part, i * 200);
      // It neither stands still nor leaps: 50 ms of time are about 50 ms of samples.
      if (i > 0) expect(Math.abs(shown - last - 50)).toBeLessThan(15);
      last = shown;
    }
  }
});
