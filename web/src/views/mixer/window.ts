// Which stretch of the song is seen, and where in it a time is. Ruler, lanes and pipe all ask here, so that they agree.

/** The stretch that is seen, in seconds. */
export interface Window {
  readonly start: number;
  readonly length: number;
}

/** The place of a time in a picture that is `width` wide. */
export function timeToX(seconds: number, window: Window, width: number): number {
  return ((seconds - window.start) / window.length) * width;
}

/** The time at a place. */
export function xToTime(x: number, window: Window, width: number): number {
  return window.start + (x / width) * window.length;
}

/** The window kept within the song. */
export function within(window: Window, duration: number): Window {
  const length = Math.min(Math.max(0.05, window.length), Math.max(0.05, duration));
  return { length, start: Math.min(Math.max(0, window.start), Math.max(0, duration - length)) };
}

/** The window made longer or shorter by a factor, so that a time keeps its place. */
export function zoomed({
  window,
  factor,
  at,
  duration,
}: {
  window: Window;
  factor: number;
  at: number;
  duration: number;
}): Window {
  const length = Math.min(Math.max(window.length * factor, Math.min(0.25, duration)), duration);
  const share = (at - window.start) / window.length;
  return within({ length, start: at - share * length }, duration);
}

/** The window that shows what is played: it turns a page when that leaves it. */
export function following(window: Window, now: number, duration: number): Window {
  const end = window.start + window.length;
  if (now >= window.start && now < end - window.length * 0.02) return window;
  return within({ ...window, start: now - window.length * 0.04 }, duration);
}

export interface Beat {
  readonly t: number;
  readonly bar: number;
  readonly beat: number;
}

/** The first place in a list, sorted by time, whose time is not before. */
export function lowerBound(list: readonly { readonly t: number }[], t: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.t ?? 0) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The beat that a time is in; null before the first. */
export function beatAt(beats: readonly Beat[], seconds: number): Beat | null {
  return beats[lowerBound(beats, seconds + 1e-4) - 1] ?? null;
}

/** The time of the beat, or the bar, `steps` on from a time; of a second, where there are no beats. */
export function stepped({
  beats,
  seconds,
  steps,
  bars,
}: {
  beats: readonly Beat[];
  seconds: number;
  steps: number;
  bars: boolean;
}): number {
  const grid = bars ? beats.filter(({ beat }) => beat === 1) : beats;
  if (grid.length === 0) return Math.max(0, seconds + steps * (bars ? 4 : 1));
  // What was just passed counts as the place one is at.
  const here = lowerBound(grid, seconds + 0.02);
  const before = lowerBound(grid, seconds - 0.02);
  const place = steps > 0 ? here + steps - 1 : before + steps;
  if (place < 0) return 0;
  return grid[place]?.t ?? Number.POSITIVE_INFINITY;
}

/** The nearest beat to a time, or the time itself where there are none. */
export function snapped(beats: readonly Beat[], seconds: number, bars = false): number {
  const grid = bars ? beats.filter(({ beat }) => beat === 1) : beats;
  const at = lowerBound(grid, seconds);
  const [before, after] = [grid[at - 1]?.t, grid[at]?.t];
  if (before === undefined) return after ?? seconds;
  if (after === undefined) return before;
  return seconds - before < after - seconds ? before : after;
}

/** A window of so many bars around a time. */
export function barsAround({
  beats,
  seconds,
  bars,
  duration,
}: {
  beats: readonly Beat[];
  seconds: number;
  bars: number;
  duration: number;
}): Window {
  const downs = beats.filter(({ beat }) => beat === 1);
  const first = downs[0]?.t;
  const last = downs.at(-1)?.t;
  const bar = first !== undefined && last !== undefined && downs.length > 1 ? (last - first) / (downs.length - 1) : 2;
  const length = bar * bars;
  const start = Math.floor((seconds - (first ?? 0)) / length) * length + (first ?? 0);
  return within({ start, length }, duration);
}

/** The place of a bar and its beat in words: "28.2", with the sixteenth behind it. */
export function barWords(
  beats: readonly Beat[],
  seconds: number,
): { readonly bar: number; readonly beat: number; readonly part: number } | null {
  const place = lowerBound(beats, seconds + 1e-4) - 1;
  const here = beats[place];
  if (!here) return null;
  const next = beats[place + 1]?.t ?? here.t + (here.t - (beats[place - 1]?.t ?? here.t - 0.5));
  const part = Math.min(4, 1 + Math.floor(((seconds - here.t) / Math.max(1e-3, next - here.t)) * 4));
  return { bar: here.bar, beat: here.beat, part: Math.max(1, part) };
}

/** Bars that are numbered in the ruler: every one, or every second, fourth ... so that numbers do not touch. */
export function rulerBars({
  beats,
  window,
  width,
}: {
  beats: readonly Beat[];
  window: Window;
  width: number;
}): { readonly x: number; readonly bar: number }[] {
  const first = Math.max(0, lowerBound(beats, window.start) - 8);
  const end = lowerBound(beats, window.start + window.length);
  const downs = beats.slice(first, end).filter(({ beat }) => beat === 1);
  const inView = downs.filter(({ t }) => t >= window.start).length;
  let every = 1;
  while ((inView / every) * 42 > width) every *= 2;
  return downs
    .filter(({ bar }) => (bar - 1) % every === 0)
    .map(({ t, bar }) => ({ x: timeToX(t, window, width), bar }));
}
