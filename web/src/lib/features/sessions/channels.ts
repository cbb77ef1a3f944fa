/** The channel catalogue as a person picks from it: the four wheels of a quantity are one choice. */
import { CHANNELS, type ChannelGroup } from '../../protocol.gen.ts';

export interface Quantity {
  /** As it stands in an address: the channel's name, without the corner. */
  id: string;
  label: string;
  unit: string;
  digits: number;
  group: ChannelGroup;
  /** Counts and states are drawn in steps. */
  stepped: boolean;
  lines: { channel: number; label: string }[];
}

const LABELS: Record<string, string> = {
  rpm: 'Engine speed',
  tc_slip: 'TC slip',
  tc_cut: 'TC cut',
  abs: 'ABS',
  front_arb: 'Front anti-roll bar',
  rear_arb: 'Rear anti-roll bar',
  drs: 'DRS',
  ers_store: 'ERS store',
  ers_mode: 'ERS mode',
  ers_deployed: 'ERS deployed',
  g_force_lateral: 'Lateral g',
  g_force_longitudinal: 'Longitudinal g',
  g_force_vertical: 'Vertical g',
  tire_pressures: 'Tyre pressures',
  tire_temps: 'Tyre surface temperatures',
  tire_temps_left: 'Tyre surface, left third',
  tire_temps_center: 'Tyre surface, centre',
  tire_temps_right: 'Tyre surface, right third',
  tire_inner_temps: 'Tyre inner temperatures',
  tire_carcass_temps: 'Tyre carcass temperatures',
  tire_wear: 'Tyre wear, worn',
  tire_compound: 'Tyre compound',
  tire_flat: 'Tyre flat',
  tire_age: 'Tyre age',
  tire_optimal_temp: 'Tyre best temperature',
  brake_temps: 'Brake temperatures',
  engine_water_temp: 'Water temperature',
  engine_oil_temp: 'Oil temperature',
};

function labelOf(id: string): string {
  const words = id.replaceAll('_', ' ');
  return LABELS[id] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

function digitsOf(quantum: number): number {
  return quantum >= 1 ? 0 : quantum >= 0.1 ? 1 : quantum >= 0.01 ? 2 : 3;
}

/** All quantities, in the order of the catalogue. */
export const QUANTITIES: readonly Quantity[] = (() => {
  const found = new Map<string, Quantity>();
  for (const { number, name, unit, quantum, group } of CHANNELS) {
    const [id = name, corner] = name.split('.');
    const label = labelOf(id);
    const quantity = found.get(id) ?? {
      id,
      label,
      unit,
      digits: digitsOf(quantum),
      group,
      stepped: unit === '',
      lines: [],
    };
    quantity.lines.push({ channel: number, label: corner === undefined ? label : corner.toUpperCase() });
    found.set(id, quantity);
  }
  return [...found.values()];
})();

export const GROUPS: readonly ChannelGroup[] = [...new Set(QUANTITIES.map((quantity) => quantity.group))];

export const DEFAULT_QUANTITIES = ['speed', 'throttle', 'brake'];

/** The quantities that an address names; what is not known is left out. */
export function quantitiesOf(text: string | null): Quantity[] {
  const ids = text === null ? DEFAULT_QUANTITIES : text.split(',');
  return [...new Set(ids)].flatMap((id) => QUANTITIES.find((quantity) => quantity.id === id) ?? []);
}

/** The names of the channels that a trace is asked for. */
export function channelNames(quantities: readonly Quantity[]): string {
  const numbers = quantities.flatMap((quantity) => quantity.lines.map((line) => line.channel));
  return ['lap_distance', ...numbers.flatMap((number) => CHANNELS[number]?.name ?? [])]
    .filter((name, i, all) => all.indexOf(name) === i)
    .join(',');
}
