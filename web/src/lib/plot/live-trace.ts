/** The rolling trace of a dashboard: speed and pedals over the last seconds. */
import uPlot from 'uplot';
import type { Attachment, Frame, Stage } from '../live/draw.ts';
import { indexAt } from '../live/source.ts';
import { Channel } from '../protocol.gen.ts';
import { axisFont, onWidth, token } from './theme.ts';

const WINDOW_S = 30;
const HEIGHT = 150;
const DRAWN = [Channel.Speed, Channel.Throttle, Channel.Brake] as const;

export function liveTrace(stage: Stage): Attachment {
  return (element) => {
    let chart: uPlot | null = null;
    let drawnMs = NaN;
    const unsize = onWidth(element, (width) => {
      if (chart === null) chart = make(element, width);
      else chart.setSize({ width, height: HEIGHT });
      drawnMs = NaN;
    });
    const unpaint = stage.add((frame) => {
      if (chart === null || frame.playheadMs === drawnMs) return;
      drawnMs = frame.playheadMs;
      chart.setData(windowOf(frame), false);
      chart.redraw(true, false);
    });
    return () => {
      unsize();
      unpaint();
      chart?.destroy();
    };
  };
}

/** The samples of the window, over seconds before the playhead. */
function windowOf({ source, index, playheadMs }: Frame): uPlot.AlignedData {
  const from = indexAt(source, playheadMs - WINDOW_S * 1000) + 1;
  const count = Math.max(0, index - from + 1);
  const xs = new Float64Array(count);
  const columns = DRAWN.map(() => new Array<number | null>(count));
  for (let i = 0; i < count; i += 1) {
    xs[i] = (source.time(from + i) - playheadMs) / 1000;
    DRAWN.forEach((channel, c) => {
      const value = source.value(channel, from + i);
      const column = columns[c];
      if (column !== undefined) column[i] = Number.isNaN(value) ? null : value;
    });
  }
  return [xs, ...columns];
}

function make(element: HTMLElement, width: number): uPlot {
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
        x: { time: false, range: [-WINDOW_S, 0] },
        speed: { range: (_u, _min, max) => [0, Math.max(100, Math.ceil((max ?? 0) / 50) * 50)] },
        pedal: { range: [0, 102] },
      },
      axes: [
        {
          ...axis,
          size: 26,
          gap: 8,
          values: (_u, splits) => splits.map((s) => (s === 0 ? 'now' : `${s} s`.replace('-', '−'))),
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
    },
    [[], [], [], []],
    element,
  );
}
