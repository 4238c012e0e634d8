// The residual needs the song, which the service deletes from nobody's disk: whoever has it chooses it, and nothing of
// it leaves the page.

import { signal } from "@preact/signals";
import { renderMix } from "../../audio/render.ts";
import { openStems } from "../../audio/requests.ts";
import { Residual } from "../../audio/residual.ts";
import type { Console } from "../song/console.ts";

type Found =
  | { readonly state: "busy"; readonly share: number }
  | { readonly state: "failed"; readonly why: string }
  | { readonly state: "done"; readonly decibels: number; readonly words: string };

/** By job. */
export const residual = signal<ReadonlyMap<string, Found>>(new Map());

/** What a residual means, in a clause. */
export function wordsOf(decibels: number, allKept: boolean): string {
  if (decibels <= -35) return "The stems rebuild the song";
  if (decibels <= -20) return "Close to the song";
  return allKept ? "Parts are missing: is it the same song?" : "Parts are missing: stems were left out";
}

/** Ask for the song, and compare. */
export function measure(console: Console): void {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "audio/*,.flac,.ogg,.m4a,.aiff";
  input.onchange = () => {
    const [file] = input.files ?? [];
    if (file) void compare(console, file);
  };
  input.click();
}

async function compare(console: Console, file: File): Promise<void> {
  const { job } = console.opened;
  if (!job) return;
  const show = (found: Found) => {
    residual.value = new Map(residual.peek()).set(job.id, found);
  };
  show({ state: "busy", share: 0 });
  try {
    const { signal } = new AbortController();
    const stems = await openStems(console.opened.sources, signal);
    const { sampleRate, samples } = stems[0]?.index ?? { sampleRate: 44100, samples: 0 };
    const decoder = new OfflineAudioContext(2, 1, sampleRate);
    const song = await decoder.decodeAudioData(await file.arrayBuffer());
    const left = song.getChannelData(0);
    const right = song.numberOfChannels > 1 ? song.getChannelData(1) : left;
    // Stems that would have clipped were turned down together.
    const gain = 10 ** ((job.results?.gainDb ?? 0) / 20);
    const found = new Residual();
    let at = 0;
    for await (const piece of renderMix(stems, {}, { start: 0, end: samples }, signal)) {
      const end = at + piece[0].length;
      const part = (channel: Float32Array<ArrayBuffer>) => {
        const cut = new Float32Array(piece[0].length);
        cut.set(channel.subarray(at, Math.min(end, channel.length)));
        return cut.map((sample) => sample * gain);
      };
      found.add([part(left), part(right)], piece);
      at = end;
      show({ state: "busy", share: at / samples });
    }
    const { decibels } = found;
    const kept = Object.values(job.config.stems ?? {}).filter(Boolean).length;
    const allKept = kept === Number.parseInt(job.config.modelVariant ?? "2stems", 10);
    if (decibels === null) show({ state: "failed", why: "The song is silent." });
    else show({ state: "done", decibels, words: wordsOf(decibels, allKept) });
  } catch (error) {
    show({ state: "failed", why: error instanceof Error ? error.message : String(error) });
  }
}
