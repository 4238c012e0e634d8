// Songs for unit tests: real analyses, made by `python -m tests.web.examples` and `python -m showcase`.

import { readFileSync } from "node:fs";
import { Signals } from "./signals.ts";
import { type Analysis, songOf } from "./song.ts";

/** "song" is the built-in one. */
export type Example = "song" | "named" | "midi" | "frantic" | "quiet";

export function signalsOf(example: Example): Signals {
  const folder = new URL(example === "song" ? "../../public/song/" : `../../.examples/${example}/`, import.meta.url);
  const curves = readFileSync(new URL("curves.bin", folder));
  const text = new TextDecoder().decode(readFileSync(new URL("analysis.json", folder)));
  const bytes = curves.buffer.slice(curves.byteOffset, curves.byteOffset + curves.byteLength);
  return new Signals(songOf(example, JSON.parse(text) as Analysis, bytes));
}
