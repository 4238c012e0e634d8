// What is being saved: one at a time, with how far it is and a way to stop it.

import { signal } from "@preact/signals";
import type { JobFile } from "../../api/client.ts";
import { bodyOf } from "../../bodies.ts";
import type { Destination } from "../../export/destination.ts";
import { Dots } from "../parts/dots.tsx";
import { SplitBar } from "../parts/splitbar.tsx";
import type { Console } from "../song/console.ts";
import { factorOf } from "../song/mix.ts";
import { toast } from "../toasts.ts";
import { count, counted, wait } from "../words.ts";
import { stemFiles } from "./files.ts";

/** Something that is saved. */
export interface Save {
  readonly what: string;
  readonly name: string;
  readonly share: number;
  readonly stems: readonly string[];
  /** Of a video. */
  readonly frames?: number;
  /** When it began, in milliseconds. */
  readonly began: number;
  readonly abort: AbortController;
}

export const saving = signal<Save | null>(null);

interface Task {
  readonly what: string;
  readonly name: string;
  readonly stems: readonly string[];
  readonly frames?: number;
  /** Returns words for the toast at its end, if there is more to say. */
  run(
    destination: Destination,
    work: { progress: (done: number) => void; signal: AbortSignal },
  ): Promise<string | null>;
}

/** Ask where it goes, save it, and say so. Call it from a click. */
export async function save({ run, ...task }: Task): Promise<boolean> {
  const { what, name } = task;
  if (saving.peek()) {
    toast({ title: "One at a time", text: `${saving.peek()?.what} is being saved.` });
    return false;
  }
  const abort = new AbortController();
  try {
    const { download, openDestination } = await import("../../export/destination.ts");
    const destination = await openDestination(name);
    if (!destination) return false;
    const began = Date.now();
    const progress = (share: number) => {
      if (!abort.signal.aborted) saving.value = { ...task, share, began, abort };
    };
    progress(0);
    const more = await run(destination, { progress, signal: abort.signal });
    const file = await destination.finished();
    if (file) download(file, name);
    toast({ title: `${what} is saved`, text: more ?? name });
    return true;
  } catch (error) {
    if (!abort.signal.aborted)
      toast({ title: `${what} could not be saved`, text: error instanceof Error ? error.message : String(error) });
    return false;
  } finally {
    saving.value = null;
  }
}

export function saveStems(console: Console, stems: readonly string[]): Promise<boolean> {
  const { song, files } = console.opened;
  return saveFiles(console, `${song.title} - stems.zip`, stemFiles(files, stems), stems);
}

/** Files as one zip. */
export function saveFiles(
  console: Console,
  name: string,
  files: readonly JobFile[],
  stems: readonly string[],
): Promise<boolean> {
  const what = files.length === 1 ? "A file" : counted(files.length, "file");
  return save({
    what,
    name,
    stems,
    async run(destination, work) {
      const { saveZip } = await import("../../export/zip.ts");
      // Links that were listed a while ago may have ended: one list for all, and a new one when a file asks again.
      let listed: Promise<readonly JobFile[]> | null = null;
      const asked = new Set<string>();
      const entries = files.map((file) => ({
        name: file.name.replace(".player.flac", ".flac"),
        async link() {
          if (asked.has(file.name)) {
            listed = null;
            asked.clear();
          }
          asked.add(file.name);
          listed ??= console.opened.relist();
          return (await listed).find((one) => one.name === file.name)?.url ?? file.url;
        },
      }));
      await saveZip(entries, destination, work);
      return null;
    },
  });
}

/** What each stem is multiplied by. */
export function gainsOf(console: Console): Record<string, number> {
  return Object.fromEntries(console.stems.map((stem) => [stem, factorOf(console.mix.peek(), stem)]));
}

export function saveMixAsHeard(console: Console): Promise<boolean> {
  const { song, sources } = console.opened;
  const gains = gainsOf(console);
  const loop = console.looping.peek() ? console.loop.peek() : null;
  const rate = console.sampleRate;
  const range = loop && { start: Math.round(loop.start * rate), end: Math.round(loop.end * rate) };
  return save({
    what: range ? "The loop" : "The mix",
    name: `${song.title} - mix.wav`,
    stems: console.stems.filter((stem) => (gains[stem] ?? 0) > 0),
    async run(destination, work) {
      const { saveMix } = await import("../../export/mix.ts");
      const { clipped } = await saveMix({ sources, gains, range }, destination, work);
      return clipped > 0 ? `Too loud, and cut off: ${counted(clipped, "sample")}. Turn stems down a little.` : null;
    },
  });
}

/** "1,041 of 2,216 frames, 37 s left"; how long it takes is said once there is something to go by. */
function leftWords({ share, frames, began }: Save): string {
  const seconds = (Date.now() - began) / 1000;
  return [
    ...(frames ? [`${count(share * frames)} of ${counted(frames, "frame")}`] : []),
    ...(seconds > 2 && share > 0 ? [`${wait((seconds * (1 - share)) / share)} left`] : []),
  ].join(", ");
}

/** How far it is. */
export function Saving() {
  const now = saving.value;
  if (!now) return null;
  const percent = Math.floor(now.share * 100);
  return (
    <section class="saving screen" aria-label={`Saving ${now.name}`}>
      <div class="row between">
        <Dots text={`${percent}%`} say={`${percent} percent`} pitch={4} />
        <span class="sm mute ell">{now.name}</span>
        <button type="button" class="key sml" onClick={() => now.abort.abort()}>
          Cancel
        </button>
      </div>
      <SplitBar
        share={now.share}
        bodies={now.stems.length ? now.stems.slice(0, 6).map(bodyOf) : ["song"]}
        label={`Saving ${now.name}`}
        words={`${percent} percent`}
      />
      <div class="xs dim num">{leftWords(now)}</div>
    </section>
  );
}
