// What the page knows of a song that it can play or draw: where it came from - a job, the built-in song - is
// nobody's concern behind this.

import { inLanes } from "../bodies.ts";
import { Curves } from "./curves.ts";
import type { components } from "./schema.ts";

export type Analysis = components["schemas"]["Analysis"];
export type Track = components["schemas"]["track"];

/** A song with what is to be heard in it. */
export interface Song {
  readonly title: string;
  /** In seconds. */
  readonly duration: number;
  /** Names of its stems, in the order of their lanes. */
  readonly stems: readonly string[];
  /** Null for a song that was not analysed. */
  readonly analysis: Analysis | null;
  /** Null where there are none, as in a song without analysis. */
  readonly curves: Curves | null;
}

/** A song out of the files of its analysis; `curves` is what is in curves.bin, if there is one. */
export function songOf(title: string, analysis: Analysis, curves: ArrayBuffer | null): Song {
  if (analysis.version !== 1) throw new Error(`This page cannot read an analysis of version ${analysis.version}.`);
  return {
    title,
    duration: analysis.duration,
    stems: inLanes(Object.keys(analysis.stems)),
    analysis,
    curves: curves && analysis.curves ? new Curves(curves, analysis.curves) : null,
  };
}
