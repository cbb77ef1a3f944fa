/** How far fuel and virtual energy reach, from the consumption that was seen. */
import type { Consumption } from '../../protocol.gen.ts';

export interface Store {
  name: 'Virtual energy' | 'Fuel';
  unit: '%' | 'L' | 'kg';
  level: number | null;
  capacity: number | null;
  perLap: number | null;
  /** Laps left at that consumption; null where that is not known. */
  lapsLeft: number | null;
}

export interface Levels {
  virtualEnergy: number | null;
  fuel: number | null;
  fuelCapacity: number | null;
  fuelMass: number | null;
  fuelMassCapacity: number | null;
}

/** What the car lives on; what is not known of it at all is left out. The first one is what the class is limited by. */
export function stores(levels: Levels, consumption: Consumption): Store[] {
  const found: Store[] = [];
  if (levels.virtualEnergy !== null) {
    found.push(store('Virtual energy', '%', levels.virtualEnergy, 100, consumption.virtual_energy_pct, consumption));
  }
  if (levels.fuel !== null || levels.fuelMass === null) {
    found.push(store('Fuel', 'L', levels.fuel, levels.fuelCapacity, consumption.fuel_l, consumption));
  } else {
    found.push(store('Fuel', 'kg', levels.fuelMass, levels.fuelMassCapacity, consumption.fuel_kg, consumption));
  }
  return found;
}

function store(
  name: Store['name'],
  unit: Store['unit'],
  level: number | null,
  capacity: number | null,
  used: number | null,
  { laps }: Consumption,
): Store {
  const perLap = laps > 0 && used !== null && used > 0 ? used : null;
  return { name, unit, level, capacity, perLap, lapsLeft: level === null || perLap === null ? null : level / perLap };
}

/** Laps left by whatever runs out first; null where nothing is known. */
export function lapsLeft(all: readonly Store[]): number | null {
  const known = all.map((s) => s.lapsLeft).filter((laps) => laps !== null);
  return known.length === 0 ? null : Math.min(...known);
}
