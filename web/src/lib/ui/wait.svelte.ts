/** Counts down until something may be tried again. */
export class Wait {
  /** Seconds to go; 0 where nothing is waited for. */
  leftS = $state(0);
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly now: () => number = Date.now) {}

  begin(seconds: number, onEnd: () => void = () => undefined): void {
    clearInterval(this.timer);
    const until = this.now() + seconds * 1000;
    this.leftS = Math.max(0, Math.ceil(seconds));
    const tick = () => {
      this.leftS = Math.max(0, Math.ceil((until - this.now()) / 1000));
      if (this.leftS > 0) return;
      clearInterval(this.timer);
      onEnd();
    };
    this.timer = setInterval(tick, 500);
  }
}
