/** Channels of one quantity over the distance of a lap; charts with the same key share their cursor. */
import uPlot from 'uplot';
import { timeSpan } from '../format.ts';
import type { SampleSource } from '../live/source.ts';
import { Channel } from '../protocol.gen.ts';
import { type ShownBand, drawBands } from './bands.ts';
import { axisFont, onWidth, token } from './theme.ts';

export interface ChartLine {
  channel: number;
  label: string;
}

/** Where the lap begins and ends, as far as that is known: what is missing there is missing data. */
export interface LapEnds {
  fromM: number | null;
  toM: number | null;
}

export interface LapChart extends LapEnds {
  lines: ChartLine[];
  unit: string;
  /** Decimals of the values at the cursor. */
  digits: number;
  height: number;
  /** A state: drawn in steps. */
  stepped: boolean;
  syncKey: string;
  /** Values at the cursor, or null where it is away; in the order of `lines`. */
  onCursor: (distanceM: number | null, values: (number | null)[]) => void;
}

const COLORS = ['ch-a', 'ch-b', 'ch-c', 'ch-d'];
/** As on the dashboard. */
const OWN_COLORS = new Map<number, string>([
  [Channel.Throttle, 'ch-throttle'],
  [Channel.Brake, 'ch-brake'],
  [Channel.Clutch, 'ch-clutch'],
  [Channel.Steering, 'ch-steering'],
  [Channel.Rpm, 'ch-rpm'],
]);
const DASHES = [[], [8, 3], [3, 3], [10, 3, 2, 3]];

/** The colour token of a line. */
export function lineColor(i: number): string {
  return COLORS[i % COLORS.length] ?? 'ch-a';
}

/** Nearer than this to the line the first or last sample is where it should be. */
const END_M = 200;
/** A car that moved no further while there were no samples stood: nothing is missing. */
const STOOD_M = 5;

export interface OverDistance {
  rows: [Float64Array, ...(number | null)[][]];
  bands: ShownBand[];
}

/**
 * The samples over distance. Distance that does not grow (the car stands or goes back) is left out, so that the curve
 * is a function of distance; where samples are missing is a row of nothing, so that no line goes across.
 */
export function overDistance(source: SampleSource, channels: readonly number[], ends: LapEnds): OverDistance {
  const xs: number[] = [];
  const columns: (number | null)[][] = channels.map(() => []);
  const bands: ShownBand[] = [];
  const add = (x: number, value: (channel: number) => number) => {
    xs.push(x);
    channels.forEach((channel, c) => columns[c]?.push(Number.isNaN(value(channel)) ? null : value(channel)));
  };
  const nothing = () => NaN;
  let last = -Infinity;
  let lastMs = NaN;
  for (let i = 0; i < source.length; i += 1) {
    const [distance, time] = [source.value(Channel.LapDistance, i), source.time(i)];
    if (distance > last) {
      const gap = source.gaps.find((g) => g.fromMs >= lastMs && g.toMs <= time);
      if (gap !== undefined && distance - last > STOOD_M) {
        add((last + distance) / 2, nothing);
        bands.push({ from: last, to: distance, kind: 'missing', when: timeSpan(gap.fromMs, gap.toMs) });
      }
      add(distance, (channel) => source.value(channel, i));
      last = distance;
    }
    if (!Number.isNaN(distance)) lastMs = time;
  }
  const first = xs[0];
  const { fromM, toM } = ends;
  if (fromM !== null && first !== undefined && first - fromM > END_M) {
    bands.unshift({ from: fromM, to: first, kind: 'missing', when: '' });
    xs.unshift(fromM);
    columns.forEach((column) => column.unshift(null));
  }
  if (toM !== null && first !== undefined && toM - last > END_M) {
    bands.push({ from: last, to: toM, kind: 'missing', when: '' });
    add(toM, nothing);
  }
  return { rows: [Float64Array.from(xs), ...columns], bands };
}

export function lapChart(source: SampleSource, chart: LapChart): (element: HTMLElement) => () => void {
  return (element) => {
    const channels = chart.lines.map((line) => line.channel);
    const { rows, bands } = overDistance(source, channels, chart);
    let plot: uPlot | null = null;
    const unsize = onWidth(element, (width) => {
      if (plot === null) plot = new uPlot(options(chart, width, bands), rows, element);
      else plot.setSize({ width, height: chart.height });
    });
    return () => {
      unsize();
      plot?.destroy();
    };
  };
}

function options(chart: LapChart, width: number, bands: readonly ShownBand[]): uPlot.Options {
  const axis = {
    stroke: token('chart-axis'),
    font: axisFont(),
    grid: { stroke: token('chart-grid'), width: 1 },
    ticks: { show: false },
  };
  const stepped = chart.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    width,
    height: chart.height,
    legend: { show: false },
    cursor: {
      sync: { key: chart.syncKey },
      points: { size: 6 },
      drag: { x: true, y: false },
    },
    scales: {
      x: { time: false },
      y: { range: (_u, min, max) => padded(min, max) },
    },
    axes: [
      { ...axis, size: 26, gap: 8, values: (_u, splits) => splits.map((m) => `${m} m`) },
      { ...axis, size: 46, gap: 4 },
    ],
    series: [
      {},
      ...chart.lines.map((line, i) => ({
        label: line.label,
        stroke: token(OWN_COLORS.get(line.channel) ?? lineColor(i)),
        dash: DASHES[i % DASHES.length] ?? [],
        width: 1.5,
        points: { show: false },
        ...(stepped === undefined ? {} : { paths: stepped }),
      })),
    ],
    hooks: {
      drawAxes: [(u) => drawBands(u, bands)],
      setCursor: [
        (u) => {
          const at = u.cursor.idx ?? null;
          if (at === null || (u.cursor.left ?? -1) < 0) chart.onCursor(null, []);
          else
            chart.onCursor(
              u.data[0][at] ?? null,
              chart.lines.map((_, i) => u.data[i + 1]?.[at] ?? null),
            );
        },
      ],
    },
  };
}

function padded(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const pad = max === min ? Math.max(Math.abs(max) * 0.05, 0.5) : (max - min) * 0.06;
  return [min - pad, max + pad];
}
