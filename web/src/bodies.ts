// A stem is a shape and a colour, everywhere the same: on a card, in a lane, as light on the stage.

export type Body = "drums" | "piano" | "vocals" | "other" | "bass" | "accompaniment" | "song";

interface Look {
  readonly name: string;
  /** Also in `views/base.css`, for what is drawn by CSS. */
  readonly color: string;
  /** The outline, in a square of 24. */
  readonly path: string;
}

/** Lightness falls from each to the next, so that they are told apart without colour, too. */
export const BODIES: Readonly<Record<Body, Look>> = {
  drums: {
    name: "Drums",
    color: "#FFE45C",
    path: "M4.5 3h15A1.5 1.5 0 0 1 21 4.5v15a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 19.5v-15A1.5 1.5 0 0 1 4.5 3z",
  },
  piano: { name: "Piano", color: "#7CE3BB", path: "M2.5 21.5v-6.3h6.3V8.9h6.3V2.6h6.4v18.9z" },
  vocals: { name: "Vocals", color: "#FF8CBB", path: "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20z" },
  other: { name: "Other", color: "#EE7E3B", path: "M12 2.4L22.6 21.2H1.4z" },
  bass: { name: "Bass", color: "#5577FF", path: "M1 17.6a11 11 0 0 1 22 0z" },
  accompaniment: { name: "Accompaniment", color: "#CFC2A8", path: "M3 3h18v18H3z M12 6.2a5.8 5.8 0 1 0 .01 0z" },
  song: { name: "Song", color: "#F4F3EF", path: "M9.2 1h5.6v22H9.2z" },
};

const LANES: readonly Body[] = ["drums", "piano", "vocals", "other", "accompaniment", "bass", "song"];

// The service listens to a stem by the same names (analysis.roles); the first that is found.
export const NAMES: readonly (readonly [RegExp, Body])[] = [
  [/accompan|instrumental|\bno (vocals?|drums|bass|piano|other)\b/, "accompaniment"],
  [/drum|\bperc|\bkick|\bsnare|\bhi ?hat|cymbal|\btoms?\b|\bkit\b|\bbeats?\b/, "drums"],
  [/bass(?!oon)/, "bass"],
  [/vocal|\bvox|voice|\bsing|choir/, "vocals"],
  [/piano|rhodes|\bkeys\b|\bepi?\b/, "piano"],
];

/** The body of a stem, by its name or by what is found in it; else it is "other". */
export function bodyOf(stem: string): Body {
  if (Object.hasOwn(BODIES, stem)) return stem as Body;
  const words = stem.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ");
  return NAMES.find(([name]) => name.test(words))?.[1] ?? "other";
}

/** How a stem's shape is drawn, so that stems of one body are told apart. */
export type Fill = "full" | "hollow" | "half";

const FILLS: readonly Fill[] = ["full", "hollow", "half"];

/** The second stem of a body is hollow, the third half filled: "other 2", "Gtr 3". */
export function fillOf(stem: string): Fill {
  const number = Number(/[ _-](\d+)$/.exec(stem)?.[1] ?? 1);
  return FILLS[Math.max(0, number - 1) % FILLS.length] ?? "full";
}

/** Stems in the order of their lanes; those of one body as they came. */
export function inLanes(stems: readonly string[]): string[] {
  return stems.toSorted((a, b) => LANES.indexOf(bodyOf(a)) - LANES.indexOf(bodyOf(b)));
}
