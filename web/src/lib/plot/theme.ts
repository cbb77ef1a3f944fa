/** The design tokens, for what is drawn on a canvas. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The font of a chart's axes; on a canvas, by the device's pixels a pixel. */
export function axisFont(scale = 1): string {
  return `${11 * scale}px ${token('font')}`;
}

/** Calls back with the width of an element, now and when it changes; gives how to stop. */
export function onWidth(element: HTMLElement, call: (width: number) => void): () => void {
  const observer = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width > 0) call(width);
  });
  observer.observe(element);
  return () => observer.disconnect();
}
