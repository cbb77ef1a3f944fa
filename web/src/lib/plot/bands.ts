/** Stretches behind the lines of a chart: where data is missing, and where it came late. */
import type uPlot from 'uplot';
import { axisFont, token } from './theme.ts';

/** A stretch on the chart's x axis. */
export interface ShownBand {
  from: number;
  to: number;
  kind: 'missing' | 'paused' | 'late';
  /** From when to when; empty where that is not known. */
  when: string;
}

const WORDS = { missing: 'no data', paused: 'paused', late: 'arrived later' };

/** For uPlot's hook `drawAxes`: after the grid and before the lines. */
export function drawBands(u: uPlot, bands: readonly ShownBand[]): void {
  const { ctx } = u;
  const { left, top, width, height } = u.bbox;
  for (const band of bands) {
    const from = Math.max(left, u.valToPos(band.from, 'x', true));
    const to = Math.min(left + width, u.valToPos(band.to, 'x', true));
    if (!(to > from)) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, top, to - from, height);
    ctx.clip();
    if (band.kind === 'late') underline(ctx, from, to, top + height);
    else hatch(ctx, from, to, top, height);
    write(ctx, band, from, to, top);
    ctx.restore();
  }
}

function hatch(ctx: CanvasRenderingContext2D, from: number, to: number, top: number, height: number): void {
  ctx.fillStyle = token('chart-gap');
  ctx.fillRect(from, top, to - from, height);
  ctx.strokeStyle = token('chart-gap-line');
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  const step = 8 * devicePixelRatio;
  // The lines move with the band, not under it.
  for (let x = to + height; x > from; x -= step) {
    ctx.moveTo(x, top);
    ctx.lineTo(x - height, top + height);
  }
  ctx.stroke();
  // Edges that can be seen also where there is no room for words.
  ctx.fillStyle = token('chart-cursor');
  for (const x of [from, to - devicePixelRatio]) ctx.fillRect(x, top, devicePixelRatio, height);
}

function underline(ctx: CanvasRenderingContext2D, from: number, to: number, bottom: number): void {
  ctx.fillStyle = token('chart-late');
  ctx.fillRect(from, bottom - 3 * devicePixelRatio, to - from, 3 * devicePixelRatio);
}

/** As much as there is room for: the whole in one line or two, the word, or nothing. */
function write(ctx: CanvasRenderingContext2D, band: ShownBand, from: number, to: number, top: number): void {
  const px = devicePixelRatio;
  ctx.font = axisFont(px);
  ctx.textAlign = 'center';
  ctx.textBaseline = 'top';
  const word = WORDS[band.kind];
  // What came late is there to be read; when it came is not worth a line over it.
  const ways = band.kind === 'late' ? [[word]] : [[`${word} ${band.when}`.trim()], [word, band.when], [word]];
  const widthOf = (lines: string[]) => Math.max(...lines.map((line) => ctx.measureText(line).width));
  const lines = ways.find((way) => widthOf(way) <= to - from - 8 * px);
  if (lines === undefined) return;
  const [x, y, width] = [(from + to) / 2, top + 4 * px, widthOf(lines) + 6 * px];
  ctx.fillStyle = token('panel');
  ctx.fillRect(x - width / 2, y - px, width, (14 * lines.length + 1) * px);
  ctx.fillStyle = token('chart-axis');
  lines.forEach((line, i) => ctx.fillText(line, x, y + 14 * px * i));
}
