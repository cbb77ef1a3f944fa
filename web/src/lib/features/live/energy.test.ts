import { expect, it } from 'vitest';
import type { Consumption } from '../../protocol.gen.ts';
import { type Levels, lapsLeft, stores } from './energy.ts';

const nothing: Levels = { virtualEnergy: null, fuel: null, fuelCapacity: null, fuelMass: null, fuelMassCapacity: null };
const used = (over: Partial<Consumption> = {}): Consumption => ({
  laps: 4,
  fuel_l: null,
  fuel_kg: null,
  virtual_energy_pct: null,
  ...over,
});

it('nothing known is one empty store of fuel', () => {
  const [fuel, ...rest] = stores(nothing, used({ laps: 0 }));
  expect(rest).toEqual([]);
  expect(fuel).toMatchObject({ name: 'Fuel', level: null, perLap: null, lapsLeft: null });
});

it('laps left come from what was seen, never from a constant', () => {
  const levels = { ...nothing, fuel: 30, fuelCapacity: 75 };
  expect(lapsLeft(stores(levels, used({ fuel_l: 2.5 })))).toBe(12);
  expect(lapsLeft(stores(levels, used({ laps: 0, fuel_l: 2.5 })))).toBeNull();
  expect(lapsLeft(stores(levels, used({ fuel_l: 0 })))).toBeNull();
});

it('virtual energy comes first, and the one that runs out first decides', () => {
  const all = stores({ ...nothing, virtualEnergy: 50, fuel: 60 }, used({ virtual_energy_pct: 5, fuel_l: 3 }));
  expect(all.map((s) => [s.name, s.lapsLeft])).toEqual([
    ['Virtual energy', 10],
    ['Fuel', 20],
  ]);
  expect(lapsLeft(all)).toBe(10);
});

it('games that weigh fuel show kilograms', () => {
  const [fuel] = stores({ ...nothing, fuelMass: 38.79, fuelMassCapacity: 110 }, used({ fuel_kg: 1.9395 }));
  expect(fuel).toMatchObject({ unit: 'kg', level: 38.79, capacity: 110 });
  expect(fuel?.lapsLeft).toBeCloseTo(20);
});
