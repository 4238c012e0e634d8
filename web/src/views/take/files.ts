// What can be taken away of a song: which files are of which stem, and how large they are.

import type { JobFile } from "../../api/client.ts";
import { stemOf } from "../song/digest.ts";
import { size } from "../words.ts";

/** The stems' own files; of a song that has none of them, what the page plays. */
export function stemFiles(files: readonly JobFile[], stems: readonly string[]): JobFile[] {
  return stems.flatMap((stem) => {
    const of = files.filter((file) => stemOf(file) === stem);
    const own = of.find(({ kind }) => kind === "stem");
    const played = of.find(({ name }) => name.endsWith(".player.flac"));
    return own ?? played ?? [];
  });
}

/** How many bytes files have together: "142 MB", after what goes before; nothing where that is not known. */
export function filesSize(files: readonly JobFile[], before = ""): string {
  const known = files.flatMap(({ bytes }) => bytes ?? []);
  if (known.length < Math.max(1, files.length)) return "";
  return before + size(known.reduce((sum, bytes) => sum + bytes, 0));
}
