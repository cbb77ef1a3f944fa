import { expect, it } from 'vitest';
import { CHANNELS, Channel } from '../../protocol.gen.ts';
import { QUANTITIES, channelNames, quantitiesOf } from './channels.ts';

it('every channel can be picked, once', () => {
  const numbers = QUANTITIES.flatMap((q) => q.lines.map((line) => line.channel));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(CHANNELS.map((c) => c.number));
});

it('the four wheels are one choice', () => {
  const pressures = QUANTITIES.find((q) => q.id === 'tire_pressures');
  expect(pressures?.lines).toEqual([
    { channel: Channel.TirePressureFl, label: 'FL' },
    { channel: Channel.TirePressureFr, label: 'FR' },
    { channel: Channel.TirePressureRl, label: 'RL' },
    { channel: Channel.TirePressureRr, label: 'RR' },
  ]);
  expect([pressures?.unit, pressures?.digits, pressures?.stepped]).toEqual(['kPa', 1, false]);
});

it('an address names quantities; what is unknown or twice is left out', () => {
  expect(quantitiesOf('gear,nonsense,speed,gear').map((q) => q.id)).toEqual(['gear', 'speed']);
  expect(quantitiesOf(null).map((q) => q.id)).toEqual(['speed', 'throttle', 'brake']);
  expect(quantitiesOf('')).toEqual([]);
});

it('a trace is always asked for with its distance, each channel once', () => {
  expect(channelNames(quantitiesOf('speed,lap_distance,brake_temps'))).toBe(
    'lap_distance,speed,brake_temps.fl,brake_temps.fr,brake_temps.rl,brake_temps.rr',
  );
});
