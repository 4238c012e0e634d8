// Which sound to fetch next. A stem is held in cells of half a second: what is missing of what will be heard is fetched
// in runs of cells, and a run is about as long as what is there already. So the first after a seek is short, and comes
// soon; and later ones are long, and few.

import { clamp, type Range } from "./timeline.ts";

/** Frames of the FLAC in a cell. */
export const CELL_FRAMES = 5;

/** How much to fetch, in samples. */
export interface Measure {
  /** In a cell. */
  readonly cell: number;
  /** Of the stem. */
  readonly length: number;
  readonly shortestRun: number;
  readonly longestRun: number;
  /** What is there, from where fetching may rest. */
  readonly plenty: number;
}

/** Cells from `start` up to but without `end`. */
export type Cells = Range;

/** The next cells to fetch of what is to be heard in `stretches`; null if there is nothing to fetch yet. */
export function nextRun(stretches: readonly Range[], held: ReadonlySet<number>, measure: Measure): Cells | null {
  const { cell, length, shortestRun, longestRun, plenty } = measure;
  let lead = 0;
  for (const stretch of stretches) {
    const end = Math.min(stretch.end, length);
    for (let first = Math.floor(stretch.start / cell); first * cell < end; first++) {
      if (held.has(first)) continue;
      const missing = Math.max(stretch.start, first * cell);
      lead += missing - stretch.start;
      if (lead > plenty) return null;
      const reach = Math.min(end, missing + clamp(lead, shortestRun, longestRun));
      let last = first + 1;
      while (last * cell < reach && !held.has(last)) last++;
      return { start: first, end: last };
    }
    lead += stretch.end - stretch.start;
  }
  return null;
}

/** The cells that are held, and have nothing of `stretches`. */
export function useless(stretches: readonly Range[], held: ReadonlySet<number>, cell: number): number[] {
  return [...held].filter((index) =>
    stretches.every(({ start, end }) => (index + 1) * cell <= start || index * cell >= end),
  );
}
