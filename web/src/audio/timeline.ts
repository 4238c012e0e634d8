// A song's time, in whole samples, and which of them are heard after which. What plays and what fetches both ask here,
// so that they agree about loops to the sample.

/** From `start` up to but without `end`, in samples. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A song's length, and the loop in it. */
export interface Timeline {
  readonly samples: number;
  readonly loop: Range | null;
}

/** Where what plays through from `sample` ends: the loop's end, if that lies ahead, or else the song's. */
export function stretchEnd({ samples, loop }: Timeline, sample: number): number {
  return loop && sample < loop.end ? loop.end : samples;
}

/** The sample that comes after a stretch which ended at `end`. */
export function follow({ loop }: Timeline, end: number): number {
  return loop && end === loop.end ? loop.start : end;
}

/** Where one is `count` samples after `sample`; never beyond the song's end. */
export function advance(timeline: Timeline, sample: number, count: number): number {
  const { samples, loop } = timeline;
  const reached = sample + count;
  if (reached < stretchEnd(timeline, sample)) return reached;
  if (!loop || sample >= loop.end) return samples;
  return loop.start + ((reached - loop.end) % (loop.end - loop.start));
}

/** What is heard in the `count` samples from `sample` on, in its order; of a loop, once round and no more. */
export function ahead(timeline: Timeline, sample: number, count: number): Range[] {
  const stretches: Range[] = [];
  const { loop } = timeline;
  let left = count;
  let start = sample;
  while (left > 0 && start < timeline.samples) {
    const stop = stretchEnd(timeline, start);
    const end = Math.min(stop, start + left);
    stretches.push({ start, end });
    left -= end - start;
    if (!loop || end !== loop.end) break;
    if (start === loop.start) break;
    start = loop.start;
  }
  return stretches;
}

/** The loop as it fits a song: whole samples within it, one at least; null if there is none. */
export function fitted(samples: number, loop: Range | null): Range | null {
  if (!loop || samples === 0) return null;
  const start = clamp(Math.round(loop.start), 0, samples - 1);
  return { start, end: clamp(Math.round(loop.end), start + 1, samples) };
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
