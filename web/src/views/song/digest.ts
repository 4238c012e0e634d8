// What the library shows of a song that is done: its outline, tempo, key and counts. Fetched when its row comes into
// view, and kept while the page is open.

import type { Client, JobFile } from "../../api/client.ts";
import { inLanes } from "../../bodies.ts";
import type { Analysis } from "../../signals/song.ts";
import { type Peaks, parsePeaks } from "./peaks.ts";

export interface Digest {
  /** By stem, in the order of lanes; empty for a song that came as MIDI. */
  readonly peaks: ReadonlyMap<string, Peaks>;
  readonly analysis: Analysis | null;
}

const kept = new Map<string, Promise<Digest>>();

/** A job's digest. */
export function digest(client: Client, job: string): Promise<Digest> {
  const known = kept.get(job);
  if (known) return known;
  const asked = client.files(job).then(read);
  kept.set(job, asked);
  asked.catch(() => kept.delete(job)); // the next time will tell
  return asked;
}

const PEAKS = ".peaks.dat";

async function read(files: readonly JobFile[]): Promise<Digest> {
  const outlines = files.filter(({ name }) => name.endsWith(PEAKS));
  const names = new Map(outlines.map((file) => [stemOf(file), file]));
  const document = files.find(({ name, kind }) => kind === "analysis" && name.endsWith("analysis.json"));
  const [analysis, ...peaks] = await Promise.all([
    document ? (get(document).then((answer) => answer.json()) as Promise<Analysis>) : null,
    ...inLanes([...names.keys()]).map(async (stem) => {
      const file = names.get(stem) as JobFile;
      return [stem, parsePeaks(await (await get(file)).arrayBuffer())] as const;
    }),
  ]);
  return { analysis, peaks: new Map(peaks) };
}

/** The stem that a file is of. Of jobs from before the service said so, its name begins with it. */
export function stemOf({ stem, name }: JobFile): string {
  return stem ?? name.replace(/\.(player\.flac|player\.index|peaks\.dat)$/, "");
}

async function get({ url, name }: JobFile): Promise<Response> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${name} cannot be had: ${answer.status}.`);
  return answer;
}
