// Where things lie on the mixer's screen, from its size alone.

export interface Layout {
  /** Height of the overview, and of the ruler below it. */
  readonly overview: number;
  readonly ruler: number;
  /** Where lanes begin, and how high each is. */
  readonly top: number;
  readonly lane: number;
  /** Of a lane, what its head takes on a phone. */
  readonly head: number;
}

export interface LaneBands {
  readonly y: number;
  /** The middle of the waveform, and how far it may reach from there. */
  readonly middle: number;
  readonly half: number;
  /** The band of notes or hits; of no height where there is no room. */
  readonly notes: number;
  readonly notesHeight: number;
}

/** Lanes lower than this have no band of notes. */
const ROOM_FOR_NOTES = 84;

export function layoutOf({ height, lanes, narrow }: { height: number; lanes: number; narrow: boolean }): Layout {
  const [overview, ruler, head] = narrow ? [36, 24, 38] : [46, 30, 0];
  const top = overview + ruler;
  return { overview, ruler, top, lane: Math.max(1, height - top) / Math.max(1, lanes), head };
}

export function laneBands(layout: Layout, place: number, notes: boolean): LaneBands {
  const y = layout.top + place * layout.lane;
  const body = layout.lane - layout.head;
  const roomy = notes && body >= ROOM_FOR_NOTES - layout.head / 2;
  const share = roomy ? (layout.head ? 0.31 : 0.33) : 0.5;
  return {
    y,
    middle: y + layout.head + body * share,
    half: body * (roomy ? 0.26 : 0.42),
    notes: y + layout.head + body * 0.68,
    notesHeight: roomy ? body * 0.25 : 0,
  };
}

/** What of the screen is at a height. */
export function partAt(layout: Layout, y: number): "overview" | "ruler" | "lanes" {
  if (y < layout.overview) return "overview";
  return y < layout.top ? "ruler" : "lanes";
}
