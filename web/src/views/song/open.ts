// Opens a song, wherever it is: a job's files, or the one that is built in. What comes after does not know which.

import type { Client, Job, JobFile } from "../../api/client.ts";
import type { StemSource } from "../../audio/player.ts";
import { inLanes } from "../../bodies.ts";
import { Curves } from "../../signals/curves.ts";
import type { Analysis, Song } from "../../signals/song.ts";
import { BUILT_IN } from "../route.ts";
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

const BUILT_IN_FOLDER = "song/";

/** @throws {Error} It cannot be had; the message is for a person. */
export async function openSong(id: string, client: Client | null, signal: AbortSignal): Promise<Opened> {
  if (id === BUILT_IN) return openBuiltIn(signal);
  if (!client) throw new Error("Sign in to open this song.");
  return openJob(id, client, signal);
}

interface Manifest {
  readonly title: string;
  readonly analysis: string;
  readonly curves: string;
  readonly stems: readonly {
    readonly name: string;
    readonly audio: string;
    readonly index: string;
    readonly peaks: string;
  }[];
}

/** A file's address, whole: the audio room asks for it from elsewhere. */
const builtIn = (name: string) => new URL(BUILT_IN_FOLDER + name, document.baseURI).href;

export async function openBuiltIn(signal: AbortSignal): Promise<Opened> {
  const manifest = (await (await get(builtIn("song.json"), signal)).json()) as Manifest;
  const named = new Map(manifest.stems.map((stem) => [stem.name, stem]));
  const stems = inLanes([...named.keys()]);
  const [analysis, curves, peaks] = await Promise.all([
    get(builtIn(manifest.analysis), signal).then((answer) => answer.json() as Promise<Analysis>),
    get(builtIn(manifest.curves), signal).then((answer) => answer.arrayBuffer()),
    peaksOf(new Map(manifest.stems.map(({ name, peaks }) => [name, builtIn(peaks)])), signal),
  ]);
  const files: JobFile[] = [
    ...manifest.stems.map(({ audio }) => ({ name: audio, kind: "stem" as const, url: builtIn(audio) })),
    ...[manifest.analysis, manifest.curves].map((name) => ({ name, kind: "analysis" as const, url: builtIn(name) })),
  ];
  return {
    id: BUILT_IN,
    song: songOf(manifest.title, stems, analysis, curves, peaks),
    sources: stems.map((name) => ({
      name,
      links: async () => {
        const { audio = "", index = "" } = named.get(name) ?? {};
        return { audio: builtIn(audio), index: builtIn(index) };
      },
    })),
    peaks,
    files,
    relist: async () => files,
    job: null,
  };
}

async function openJob(id: string, client: Client, signal: AbortSignal): Promise<Opened> {
  const [job, files] = await Promise.all([client.job(id, signal), client.files(id, signal)]);
  if (!job.results) throw new Error("This song is not done yet. The library says how far it is.");
  const url = (name: string) => files.find((file) => file.name === name)?.url;
  const [documentUrl, curvesUrl] = [url("analysis.json"), url("curves.bin")];
  const outlines = files.filter(({ name }) => name.endsWith(".peaks.dat"));
  const [analysis, curves, peaks, sources] = await Promise.all([
    documentUrl ? get(documentUrl, signal).then((answer) => answer.json() as Promise<Analysis>) : null,
    curvesUrl ? get(curvesUrl, signal).then((answer) => answer.arrayBuffer()) : null,
    peaksOf(new Map(outlines.map(({ name, url }) => [stemOf(name), url])), signal),
    sourcesOf(client, id),
  ]);
  const heard = sources.length ? sources.map(({ name }) => name) : Object.keys(analysis?.stems ?? {});
  const title = job.title || analysis?.title || job.source.filename;
  const song = songOf(title, inLanes(heard), analysis, curves, peaks);
  if (song.stems.length === 0)
    throw new Error("This job was not made for playing: it has neither sound for the page nor an analysis.");
  return { id, song, sources, peaks, files, relist: () => client.files(id), job };
}

function songOf(
  title: string,
  stems: readonly string[],
  analysis: Analysis | null,
  curves: ArrayBuffer | null,
  peaks: ReadonlyMap<string, Peaks>,
): Song {
  const drawn = [...peaks.values()].map(({ high, rate }) => high.length / rate);
  return {
    title,
    stems,
    duration: Math.max(analysis?.duration ?? 0, ...drawn),
    analysis,
    curves: curves && analysis?.curves ? new Curves(curves, analysis.curves) : null,
  };
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
