// Readouts are written in a matrix of 5 by 7 dots, each a square, or the shape of the stem that is heard alone.

import type { Body } from "../../bodies.ts";

/** Columns of a character, two hexadecimal digits each, the lowest bit on top. */
const FONT: Readonly<Record<string, string>> = {
  " ": "000000",
  A: "7E1111117E",
  B: "7F49494936",
  C: "3E41414122",
  D: "7F4141221C",
  E: "7F49494941",
  F: "7F09090901",
  G: "3E4149497A",
  H: "7F0808087F",
  I: "417F41",
  J: "2040413F01",
  K: "7F08142241",
  L: "7F40404040",
  M: "7F020C027F",
  N: "7F0408107F",
  O: "3E4141413E",
  P: "7F09090906",
  Q: "3E4151215E",
  R: "7F09192946",
  S: "4649494931",
  T: "01017F0101",
  U: "3F4040403F",
  V: "1F2040201F",
  W: "3F4038403F",
  X: "6314081463",
  Y: "0708700807",
  Z: "6151494543",
  "0": "3E4141413E",
  "1": "00427F4000",
  "2": "7249494946",
  "3": "2141494D33",
  "4": "1814127F10",
  "5": "2745454539",
  "6": "3C4A494930",
  "7": "0171090503",
  "8": "3649494936",
  "9": "064949291E",
  ".": "6060",
  ":": "3636",
  "-": "080808",
  "−": "080808",
  "%": "2313086462",
  "/": "2010080402",
  "+": "08083E0808",
  "?": "0201510906",
  ",": "A060",
}; // prettier-ignore

/** The columns of dots of a text, one byte each; characters that the matrix has not are question marks. */
export function dotColumns(text: string): number[] {
  const columns: number[] = [];
  for (const character of text.toUpperCase()) {
    if (columns.length > 0) columns.push(0);
    const code = FONT[character] ?? (FONT["?"] as string);
    for (let at = 0; at < code.length; at += 2) columns.push(Number.parseInt(code.slice(at, at + 2), 16));
  }
  return columns;
}

type Draw = (x: number, y: number, r: number) => string;

const square: Draw = (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;

const SHAPES: Partial<Record<Body, Draw>> = {
  vocals: (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  other: (x, y, r) => `M${x} ${y - r * 1.1}L${x + r * 1.1} ${y + r * 0.9}H${x - r * 1.1}z`,
  bass: (x, y, r) => `M${x - r * 1.1} ${y + r * 0.7}a${r * 1.1} ${r * 1.25} 0 0 1 ${2.2 * r} 0z`,
  piano: (x, y, r) => `M${x - r} ${y + r}v${-r}h${r}v${-r}h${r}v${2 * r}z`,
};

/** Outlines of the dots that are lit and of those that are not, in a box of `width` by `height`. */
export interface DotPaths {
  readonly on: string;
  readonly off: string;
  readonly width: number;
  readonly height: number;
}

const ROWS = 7;
/** Outlines of dots by their places, of each size and shape: a clock is written many times a second. */
const OUTLINES = new Map<string, string[]>();

/** A text in dots `pitch` apart. */
export function dotPaths({ text, pitch, body }: { text: string; pitch: number; body: Body }): DotPaths {
  const columns = dotColumns(text);
  const outlines = outlinesOf(pitch, body, columns.length);
  let on = "";
  let off = "";
  columns.forEach((column, place) => {
    for (let bit = 0; bit < ROWS; bit++) {
      const dot = outlines[place * ROWS + bit] as string;
      if ((column >> bit) & 1) on += dot;
      else off += dot;
    }
  });
  return { on, off, width: columns.length * pitch, height: ROWS * pitch };
}

/** Those of `columns` columns at least. */
function outlinesOf(pitch: number, body: Body, columns: number): readonly string[] {
  const key = `${body} ${pitch}`;
  const outlines = OUTLINES.get(key) ?? [];
  OUTLINES.set(key, outlines);
  const draw = SHAPES[body] ?? square;
  for (let dot = outlines.length; dot < columns * ROWS; dot++)
    outlines.push(draw((Math.floor(dot / ROWS) + 0.5) * pitch, ((dot % ROWS) + 0.5) * pitch, pitch * 0.42));
  return outlines;
}
