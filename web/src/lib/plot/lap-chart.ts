/** Channels of one quantity over the distance of a lap; charts with the same key share their cursor. */
import uPlot from 'uplot';
import type { SampleSource } from '../live/source.ts';
import { Channel } from '../protocol.gen.ts';
import { axisFont, onWidth, token } from './theme.ts';

export interface ChartLine {
  channel: number;
  label: string;
}

export interface LapChart {
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

/**
 * The samples over distance. Distance that does not grow (the car stands or goes back) is left out, so that the curve
 * is a function of distance.
 */
export function byDistance(source: SampleSource, channels: readonly number[]): [Float64Array, ...(number | null)[][]] {
  const rows: number[] = [];
  let last = -Infinity;
  for (let i = 0; i < source.length; i += 1) {
    const distance = source.value(Channel.LapDistance, i);
    if (!(distance > last)) continue;
    last = distance;
    rows.push(i);
  }
  const value = (channel: number, i: number) => {
    const v = source.value(channel, i);
    return Number.isNaN(v) ? null : v;
  };
  return [
    Float64Array.from(rows, (i) => source.value(Channel.LapDistance, i)),
    ...channels.map((channel) => rows.map((i) => value(channel, i))),
  ];
}

export function lapChart(source: SampleSource, chart: LapChart): (element: HTMLElement) => () => void {
  return (element) => {
    const data = byDistance(
      source,
      chart.lines.map((line) => line.channel),
    );
    let plot: uPlot | null = null;
    const unsize = onWidth(element, (width) => {
      if (plot === null) plot = new uPlot(options(chart, width), data, element);
      else plot.setSize({ width, height: chart.height });
    });
    return () => {
      unsize();
      plot?.destroy();
    };
  };
}

function options(chart: LapChart, width: number): uPlot.Options {
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
