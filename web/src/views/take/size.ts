// The size of a video, and what is to be said of it before it is made.

export type Shape = "16:9" | "1:1" | "9:16";
export const SHAPES: readonly Shape[] = ["16:9", "1:1", "9:16"];
/** The shorter side, in pixels. */
export type Lines = 720 | 1080;
export const LINES: readonly Lines[] = [720, 1080];
export const RATES = [24, 25, 30, 50, 60] as const;
export type Rate = (typeof RATES)[number];

/** Width and height, both even, as encoders want them. */
export function sizeOf(shape: Shape, lines: Lines): { readonly width: number; readonly height: number } {
  const long = Math.round((lines * 16) / 9 / 2) * 2;
  if (shape === "1:1") return { width: lines, height: lines };
  return shape === "16:9" ? { width: long, height: lines } : { width: lines, height: long };
}

/** "1920 × 1080". */
export function sizeWords(shape: Shape, lines: Lines): string {
  const { width, height } = sizeOf(shape, lines);
  return `${width} × ${height}`;
}

/** A share of the song moved by a handle, kept in order and apart. */
export function movedEdge({
  range,
  edge,
  to,
  duration,
}: {
  range: { readonly start: number; readonly end: number };
  edge: "start" | "end";
  to: number;
  duration: number;
}): { readonly start: number; readonly end: number } {
  const least = Math.min(0.5, duration);
  if (edge === "start") return { ...range, start: Math.min(Math.max(0, to), range.end - least) };
  return { ...range, end: Math.max(Math.min(duration, to), range.start + least) };
}

/** Seconds that a film takes yet, by what it has taken. */
export function secondsLeft(share: number, since: number, now: number): number | null {
  const passed = (now - since) / 1000;
  return share > 0.02 && passed > 0.5 ? (passed / share) * (1 - share) : null;
}
