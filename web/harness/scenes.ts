// The scenes by themselves, for tests in a browser: songs in, pictures and luminances out.

import { SCENES, sceneOf } from "../src/scenes/all.ts";
import { PRESETS } from "../src/scenes/presets.ts";
import type { Scene, View } from "../src/scenes/scene.ts";
import { type Bindings, show } from "../src/scenes/show.ts";
import { Signals } from "../src/signals/signals.ts";
import { type Analysis, songOf } from "../src/signals/song.ts";
import { pulse } from "./pulse.ts";

interface Wish {
  readonly scene: string;
  readonly bindings?: Bindings;
  readonly limit?: boolean;
  readonly view?: Partial<View>;
}

function known(id: string): Scene {
  return id === pulse.id ? pulse : sceneOf(id);
}

const songs = new Map<string, Signals>();

function drawn(song: string, wish: Wish): { at(time: number): ImageData } {
  const signals = songs.get(song);
  if (!signals) throw new Error(`There is no song ${song}.`);
  const view = { width: 320, height: 180, inset: 0, transparent: false, still: false, ...wish.view };
  const canvas = new OffscreenCanvas(view.width, view.height);
  const g = canvas.getContext("2d", { willReadFrequently: true });
  if (!g) throw new Error("There is no canvas.");
  const stage = show(known(wish.scene), signals, wish.bindings ?? {}, { limit: wish.limit ?? true });
  return {
    at(time) {
      stage.draw(g, time, view);
      return g.getImageData(0, 0, view.width, view.height);
    },
  };
}

const harness = {
  scenes: SCENES.map(({ id, slots }) => ({ id, slots })),
  presets: PRESETS,

  /** Know a song by a name; its curves in base64, null if there are none; no analysis, no stems but those named. */
  load(name: string, analysis: Analysis | null, curves: string | null, stems: string[] = []): void {
    const bytes = curves === null ? null : Uint8Array.from(atob(curves), (sign) => sign.charCodeAt(0)).buffer;
    const song = analysis
      ? songOf(name, analysis, bytes)
      : { title: name, duration: 10, stems, analysis: null, curves: null };
    songs.set(name, new Signals(song));
  },

  signals(song: string) {
    return songs.get(song)?.list() ?? [];
  },

  /** Pixels, four bytes each, in base64. */
  picture(song: string, wish: Wish, time: number): string {
    let text = "";
    for (const byte of drawn(song, wish).at(time).data) text += String.fromCharCode(byte);
    return btoa(text);
  },

  /** The relative luminance of blocks of `block` pixels, for each of the frames, one after the other. */
  luminances(song: string, wish: Wish, times: readonly number[], block: number): number[][] {
    const picture = drawn(song, wish);
    return times.map((time) => blocks(picture.at(time), block));
  },
};

function blocks({ data, width, height }: ImageData, block: number): number[] {
  const [across, down] = [Math.floor(width / block), Math.floor(height / block)];
  const sums = new Float64Array(across * down);
  for (let y = 0; y < down * block; y++) {
    for (let x = 0; x < across * block; x++) {
      const at = 4 * (y * width + x);
      const light = 0.2126 * linear(data[at]) + 0.7152 * linear(data[at + 1]) + 0.0722 * linear(data[at + 2]);
      const place = Math.floor(y / block) * across + Math.floor(x / block);
      sums[place] = (sums[place] ?? 0) + light / block / block;
    }
  }
  return [...sums];
}

const LINEAR = Float64Array.from({ length: 256 }, (_, byte) =>
  byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4,
);

/** Of a byte of sRGB. */
function linear(byte = 0): number {
  return LINEAR[byte] ?? 0;
}

Object.assign(globalThis, { harness });
