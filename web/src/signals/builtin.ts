// The song that plays before anybody signs in. `make web` puts its files beside the page.

import type { StemSource } from "../audio/player.ts";
import { inLanes } from "../bodies.ts";
import { type Analysis, type Song, songOf } from "./song.ts";

/** song.json. */
interface Files {
  readonly title: string;
  readonly analysis: string;
  readonly curves: string;
  readonly stems: readonly { name: string; audio: string; index: string; peaks: string }[];
}

/** A song with the files that play and draw its stems. */
export interface BuiltIn {
  readonly song: Song;
  /** In the order of their lanes, as are the peaks' addresses. */
  readonly sources: readonly StemSource[];
  readonly peaks: readonly string[];
}

/** Fetch all of it but the sound, from the folder that `make web` has put it into. Fails with words where a file cannot be had. */
export async function builtIn(signal: AbortSignal, base: URL): Promise<BuiltIn> {
  const files = (await (await got(new URL("song.json", base), signal)).json()) as Files;
  const at = (file: string) => new URL(file, base).href;
  const [document, curves] = await Promise.all([
    got(at(files.analysis), signal).then((answer) => answer.json() as Promise<Analysis>),
    got(at(files.curves), signal).then((answer) => answer.arrayBuffer()),
  ]);
  const lanes = inLanes(files.stems.map(({ name }) => name));
  const stems = lanes.flatMap((name) => files.stems.filter((stem) => stem.name === name));
  return {
    song: songOf(files.title, document, curves),
    sources: stems.map(({ name, audio, index }) => ({
      name,
      links: async () => ({ audio: at(audio), index: at(index) }),
    })),
    peaks: stems.map(({ peaks }) => at(peaks)),
  };
}

async function got(url: URL | string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`The built-in song is not all there: ${answer.status} for ${url}.`);
  return answer;
}
