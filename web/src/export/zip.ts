// Chosen files as one zip, packed as they arrive, and not compressed: sound hardly can be.

import { makeZip } from "client-zip";
import { Linked, readAll } from "../audio/requests.ts";
import { type Destination, fileName, fill } from "./destination.ts";
import type { Work } from "./mix.ts";

/** A file to pack. */
export interface ZipEntry {
  readonly name: string;
  /** A link to it; asked anew when one has expired. */
  link(): Promise<string>;
}

/**
 * Write files as a zip. A download that breaks off goes on where it was.
 *
 * @throws SoundError with a message for a person.
 */
export function saveZip(
  entries: readonly ZipEntry[],
  destination: Destination,
  { progress, signal }: Work,
): Promise<void> {
  return fill(destination, async (writer) => {
    const names = distinct(entries.map(({ name }) => fileName(name)));
    const files = entries.map((entry, place) => ({
      name: names[place],
      input: contents(entry, signal, (part) => progress((place + part) / entries.length)),
    }));
    for await (const bytes of readAll(makeZip(files))) await writer.write(bytes as Uint8Array<ArrayBuffer>);
  });
}

async function* contents(entry: ZipEntry, signal: AbortSignal, progress: (part: number) => void) {
  const file = new Linked(entry.name, async () => ({ all: await entry.link() }));
  let at = 0;
  for await (const { bytes, size } of file.stream("all", signal)) {
    at += bytes.length;
    progress(Math.min(1, at / size));
    yield bytes;
  }
}

/** Names of which no two are the same: a second "a.wav" becomes "a (2).wav". */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const dot = name.lastIndexOf(".") > 0 ? name.lastIndexOf(".") : name.length;
    let free = name;
    for (let number = 2; taken.has(free.toLowerCase()); number++)
      free = `${name.slice(0, dot)} (${number})${name.slice(dot)}`;
    taken.add(free.toLowerCase());
    return free;
  });
}
