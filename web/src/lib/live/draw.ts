/**
 * One `requestAnimationFrame` for everything that moves, outside the framework.
 *
 * `Stage` finds the sample to show once a frame and hands it to each of its painters. Painters write to the elements
 * that they were given and only where something changed.
 */
import type { Feed } from './feed.ts';
import { type SampleSource, indexAt } from './source.ts';

export interface Frame {
  source: SampleSource;
  /** The sample to show; −1 where there is none. */
  index: number;
  /** The instant to show, by the agent's clock; between samples. */
  playheadMs: number;
}

export type Painter = (frame: Frame) => void;
/** Given an element, starts to paint it and returns how to stop. */
export type Attachment<T extends Element = HTMLElement> = (element: T) => () => void;

export class Stage {
  private readonly painters = new Set<Painter>();
  private handle = 0;

  constructor(
    private readonly feed: Feed,
    private readonly request: (run: () => void) => number = (run) => requestAnimationFrame(run),
    private readonly cancel: (id: number) => void = (id) => cancelAnimationFrame(id),
    private readonly now: () => number = () => performance.now(),
  ) {}

  add(painter: Painter): () => void {
    this.painters.add(painter);
    if (this.painters.size === 1) this.handle = this.request(this.draw);
    return () => {
      this.painters.delete(painter);
      if (this.painters.size === 0) this.cancel(this.handle);
    };
  }

  /** A channel's value as text. */
  text(channel: number, write: (value: number) => string): Attachment {
    return (element) => {
      let shown: string | null = null;
      return this.add(({ source, index }) => {
        const text = write(source.value(channel, index));
        if (text !== shown) element.textContent = shown = text;
      });
    };
  }

  /** A channel's value as a share from 0 to 1 of a bar, in the custom property `--share`; 0 where it is not known. */
  share(channel: number, share: (value: number) => number): Attachment {
    return (element) => {
      let shown = NaN;
      return this.add(({ source, index }) => {
        const value = share(source.value(channel, index));
        const next = Number.isNaN(value) ? 0 : Math.round(Math.min(1, Math.max(0, value)) * 1000) / 1000;
        if (next !== shown) element.style.setProperty('--share', String((shown = next)));
      });
    };
  }

  private readonly draw = (): void => {
    this.handle = this.request(this.draw);
    const source = this.feed.ring;
    const newest = source.lastTime;
    const playheadMs = this.feed.playout.at(this.now(), newest);
    const index = indexAt(source, playheadMs);
    const frame = { source, index, playheadMs };
    for (const painter of this.painters) painter(frame);
  };
}
