// What becomes of files: which card they go to, and what is asked of the service for them.

import type { Looked } from "../../api/check.ts";
import type { JobRequest } from "../../api/client.ts";
import { MIDI_ENDINGS } from "../../api/sniff.ts";
import { configOf, type Loadout, stemNames, type Way } from "./loadout.ts";

/** A file, with what was found by looking at it. */
export interface Pick {
  readonly looked: Looked;
  /** Of a stem. */
  readonly role: string;
}

export function isMidi(name: string): boolean {
  return MIDI_ENDINGS.some((ending) => name.toLowerCase().endsWith(ending));
}

/** Where files go, all MIDI or all sound: to a card, or to somebody who must say. */
export function destination(names: readonly string[], at: Way | null): Way | "ask" {
  if (names.every(isMidi)) return "midi";
  if (names.length === 1) return at === "stems" ? "stems" : "song";
  return at === "stems" ? "stems" : "ask";
}

/** What is asked of the service, and the files that go with each request. */
export function requestsOf(
  from: Way,
  chosen: readonly Pick[],
  options: { loadout: Loadout; title: string },
): { request: JobRequest; files: ReadonlyMap<string, Blob> }[] {
  const setup = configOf(from, options.loadout);
  const named = options.title.trim() ? { title: options.title.trim() } : {};
  const of = ({ looked: { file } }: Pick) => ({
    filename: file.name,
    size: file.size,
    ...(file.type ? { contentType: file.type } : {}),
  });
  if (from === "stems") {
    const names = stemNames(chosen.map(({ role }) => role));
    const stems = chosen.map((pick, place) => ({ name: names[place] ?? "other", ...of(pick) }));
    const files = new Map(chosen.map(({ looked }, place) => [names[place] ?? "other", looked.file]));
    return [{ request: { ...named, stems, config: setup }, files }];
  }
  // A title is for one song; several have their files' names.
  const titled = chosen.length === 1 ? named : {};
  return chosen.map((pick) => {
    const file = pick.looked.file;
    if (from === "midi")
      return { request: { ...titled, midi: of(pick), config: setup }, files: new Map([["midi", file]]) };
    return { request: { ...titled, ...of(pick), config: setup }, files: new Map([["song", file]]) };
  });
}
