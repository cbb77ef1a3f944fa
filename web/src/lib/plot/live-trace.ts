/** The rolling trace of a dashboard: speed and pedals over the last seconds or minutes. */
import uPlot from 'uplot';
import { clock, timeSpan } from '../format.ts';
import type { Attachment, Stage } from '../live/draw.ts';
import type { Stretch } from '../live/stretch.ts';
import { Channel } from '../protocol.gen.ts';
import { type ShownBand, drawBands } from './bands.ts';
import { axisFont, onWidth, token } from './theme.ts';
import { bandsOf, rowsOf } from './trace-window.ts';

const HEIGHT = 150;
const DRAWN = [Channel.Speed, Channel.Throttle, Channel.Brake] as const;
/** How far back it can reach; the first is what it begins with. */
export const WINDOWS_S = [30, 120, 300] as const;
/** What it needs of a stretch that comes from the record. */
export const RECORDED = [Channel.SessionTime, ...DRAWN] as const;
/** What moves by less than this part of a pixel is not drawn anew. */
const PIXEL_PART = 0.3;

export interface LiveTrace {
  windowS: number;
  /** How far the agent's clock is ahead, for times of day. */
  skewMs: () => number;
}

export function liveTrace(stage: Stage, { windowS, skewMs }: LiveTrace): Attachment {
  return (element) => {
    let chart: uPlot | null = null;
    let drawnMs = NaN;
    let late: readonly Stretch[] = [];
    let bands: ShownBand[] = [];
    let stepMs = 0;
    const unsize = onWidth(element, (width) => {
      if (chart === null) chart = make(element, width, windowS, () => bands);
      else chart.setSize({ width, height: HEIGHT });
      drawnMs = NaN;
      stepMs = (PIXEL_PART * windowS * 1000) / width;
    });
    const unpaint = stage.add(({ source, index, playheadMs }) => {
      if (chart === null) return;
      // A stretch that came late is drawn also while the car's data stands still.
      const isSame = source.late === late;
      if (isSame && Math.abs(playheadMs - drawnMs) < stepMs) return;
      [drawnMs, late] = [playheadMs, source.late];
      bands = bandsOf(source, playheadMs, windowS).map(({ fromS, toS, kind, whole }) => ({
        from: fromS,
        to: toS,
        kind,
        when: timeSpan(whole.fromMs - skewMs(), whole.toMs - skewMs()),
      }));
      tell(element, bands);
      chart.setData(rowsOf(source, index, playheadMs, windowS, DRAWN), false);
      chart.redraw(true, false);
    });
    return () => {
      unsize();
      unpaint();
      chart?.destroy();
    };
  };
}

/** What the picture shows of gaps, for who cannot see it. */
function tell(element: HTMLElement, bands: readonly ShownBand[]): void {
  const of = (kind: ShownBand['kind'], words: string) => {
    const some = bands.filter((band) => band.kind === kind);
    return some.length === 0 ? '' : `; ${words} ${some.map((band) => band.when).join(', ')}`;
  };
  const text = of('missing', 'no data') + of('late', 'arrived later');
  if (element.dataset['gaps'] === text) return;
  element.dataset['gaps'] = text;
  element.setAttribute('aria-description', text.slice(2));
}

/** "now", "−30 s", "−1:30". */
function ago(s: number, windowS: number): string {
  if (s === 0) return 'now';
  return windowS <= 60 ? `−${-s} s` : `−${clock(-s)}`;
}

function ticks(windowS: number): number[] {
  const step = windowS <= 60 ? 5 : windowS <= 120 ? 30 : 60;
  return Array.from({ length: windowS / step + 1 }, (_, i) => -windowS + i * step);
}

function make(element: HTMLElement, width: number, windowS: number, bands: () => readonly ShownBand[]): uPlot {
  const axis = {
    stroke: token('chart-axis'),
    font: axisFont(),
    grid: { stroke: token('chart-grid'), width: 1 },
    ticks: { show: false },
  };
  const series = (name: string, scale: string, color: string, dash: number[] = []) => ({
    label: name,
    scale,
    stroke: token(color),
    width: 1.5,
    dash,
    points: { show: false },
  });
  return new uPlot(
    {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: [-windowS, 0] },
        speed: { range: (_u, _min, max) => [0, Math.max(100, Math.ceil((max ?? 0) / 50) * 50)] },
        pedal: { range: [0, 102] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          gap: 8,
          splits: () => ticks(windowS),
          values: (_u, splits) => splits.map((s) => ago(s, windowS)),
        },
        { ...axis, scale: 'speed', size: 34, gap: 3, splits: (_u, _i, _min, max) => [0, max / 2, max] },
        {
          ...axis,
          scale: 'pedal',
          side: 1,
          size: 40,
          gap: 3,
          grid: { show: false },
          splits: () => [0, 50, 100],
          values: (_u, splits) => splits.map((s) => `${s} %`),
        },
      ],
      series: [
        {},
        series('Speed', 'speed', 'ch-speed'),
        series('Throttle', 'pedal', 'ch-throttle'),
        series('Brake', 'pedal', 'ch-brake'),
      ],
      hooks: { drawAxes: [(u) => drawBands(u, bands())] },
    },
    [[], [], [], []],
    element,
  );
}
