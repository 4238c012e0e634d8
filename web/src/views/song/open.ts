// Opens a song, wherever it is: a job's files, or the one that is built in. What comes after does not know which.

import type { Client, Job, JobFile } from "../../api/client.ts";
import type { StemSource } from "../../audio/player.ts";
import { inLanes } from "../../bodies.ts";
import { builtIn } from "../../signals/builtin.ts";
import { type Analysis, type Song, songOf } from "../../signals/song.ts";
import { BUILT_IN } from "../route.ts";
import { aheadWords } from "../words.ts";
import { stemOf } from "./digest.ts";
import { type Peaks, parsePeaks } from "./peaks.ts";
import { sourcesOf } from "./sources.ts";

export interface Opened {
  readonly id: string;
  readonly song: Song;
  /** Empty for a song that came as MIDI: there is no sound of it. */
  readonly sources: readonly StemSource[];
  readonly peaks: ReadonlyMap<string, Peaks>;
  /** What can be taken away, with links that may have ended. */
  readonly files: readonly JobFile[];
  /** The same with fresh links. */
  relist(): Promise<readonly JobFile[]>;
  /** Null for the built-in song. */
  readonly job: Job | null;
}

/** @throws {Error} It cannot be had; the message is for a person. */
export async function openSong(id: string, client: Client | null, signal: AbortSignal): Promise<Opened> {
  if (id === BUILT_IN) return openBuiltIn(signal);
  if (!client) throw new Error("Sign in to open this song.");
  return openJob(id, client, signal);
}

export async function openBuiltIn(signal: AbortSignal): Promise<Opened> {
  const folder = new URL("song/", document.baseURI);
  const { song, sources, peaks } = await builtIn(signal, folder);
  const outlines = await peaksOf(new Map(song.stems.map((stem, place) => [stem, peaks[place] ?? ""])), signal);
  const file = (name: string, kind: JobFile["kind"], stem: string | null = null): JobFile => {
    return { name, kind, stem, bytes: null, url: new URL(name, folder).href };
  };
  const files = [
    ...(await Promise.all(
      sources.map(async ({ name, links }) => ({ ...file(`${name}.flac`, "stem", name), url: (await links()).audio })),
    )),
    file("analysis.json", "analysis"),
    file("curves.bin", "analysis"),
  ];
  return { id: BUILT_IN, song, sources, peaks: outlines, files, relist: async () => files, job: null };
}

async function openJob(id: string, client: Client, signal: AbortSignal): Promise<Opened> {
  const [job, files] = await Promise.all([client.job(id, signal), client.files(id, signal)]);
  if (!job.results) throw new Error(notYet(job));
  const url = (name: string) => files.find((file) => file.name === name)?.url;
  const [documentUrl, curvesUrl] = [url("analysis.json"), url("curves.bin")];
  const outlines = files.filter(({ name }) => name.endsWith(".peaks.dat"));
  const [analysis, curves, peaks, sources] = await Promise.all([
    documentUrl ? get(documentUrl, signal).then((answer) => answer.json() as Promise<Analysis>) : null,
    curvesUrl ? get(curvesUrl, signal).then((answer) => answer.arrayBuffer()) : null,
    peaksOf(new Map(outlines.map((file) => [stemOf(file), file.url])), signal),
    sourcesOf(client, id),
  ]);
  const heard = sources.length ? sources.map(({ name }) => name) : Object.keys(analysis?.stems ?? {});
  const title = job.title || analysis?.title || job.source.filename;
  const song = analysis
    ? { ...songOf(title, analysis, curves), stems: inLanes(heard) }
    : bare(title, inLanes(heard), peaks);
  if (song.stems.length === 0)
    throw new Error("This job was not made for playing: it has neither sound for the page nor an analysis.");
  return { id, song, sources, peaks, files, relist: () => client.files(id), job };
}

function notYet({ status, queue }: Job): string {
  const where = status === "queued" && queue ? `: ${aheadWords(queue.ahead).toLowerCase()}` : "";
  return `This song is not done yet${where}. The library says how far it is.`;
}

/** A song that was not analysed has its stems and their outlines alone. */
function bare(title: string, stems: readonly string[], peaks: ReadonlyMap<string, Peaks>): Song {
  const lengths = [...peaks.values()].map(({ high, rate }) => high.length / rate);
  return { title, stems, duration: Math.max(0, ...lengths), analysis: null, curves: null };
}

async function peaksOf(urls: ReadonlyMap<string, string>, signal: AbortSignal): Promise<ReadonlyMap<string, Peaks>> {
  const found = await Promise.all(
    [...urls].map(async ([stem, url]) => [stem, parsePeaks(await (await get(url, signal)).arrayBuffer())] as const),
  );
  return new Map(found);
}

async function get(url: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`${new URL(url).pathname.split("/").at(-1)} cannot be had: ${answer.status}.`);
  return answer;
}
