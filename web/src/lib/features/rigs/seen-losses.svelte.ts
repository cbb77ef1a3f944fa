/** How much of a rig's losses was seen in this browser: what was seen is not shown again until there is more. */
import type { RigId } from '../../protocol.gen.ts';

const KEY = 'onelap.losses';

export class SeenLosses {
  private seen: { readonly [rig: RigId]: number } = $state.raw(read());

  of(rig: RigId): number {
    return this.seen[rig] ?? 0;
  }

  see(rig: RigId, lost: number): void {
    this.seen = { ...this.seen, [rig]: lost };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.seen));
    } catch {
      // Not kept where the browser keeps nothing: it holds for this page.
    }
  }
}

function read(): Record<RigId, number> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return {};
    return Object.fromEntries(Object.entries(stored).filter(([, lost]) => typeof lost === 'number'));
  } catch {
    return {};
  }
}

export const seenLosses = new SeenLosses();
