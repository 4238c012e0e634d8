// Paints the built-in song on the welcome page's canvas, beside the page: there the words, and whoever reads or presses
// them, never wait for a picture, however slow the machine draws.

import { sceneOf } from "../../scenes/all.ts";
import type { View } from "../../scenes/scene.ts";
import { type Show, show } from "../../scenes/show.ts";
import { builtIn } from "../../signals/builtin.ts";
import { Signals } from "../../signals/signals.ts";

/** The first message, with the canvas that is handed over. */
export interface Place {
  readonly canvas: OffscreenCanvas;
  /** The folder of the song's files. */
  readonly song: string;
}

/** A picture to be painted. Each message is answered once it is done. */
export interface Wish extends View {
  readonly scene: string;
  readonly limit: boolean;
  /** In seconds. */
  readonly time: number;
  /** Pixels of the canvas for each of the page. */
  readonly scale: number;
}

let paint: ((wish: Wish) => void) | null = null;

async function begin({ canvas, song }: Place): Promise<(wish: Wish) => void> {
  const g = canvas.getContext("2d");
  if (!g) throw new Error("This browser gives no canvas.");
  const signals = new Signals((await builtIn(new AbortController().signal, new URL(song))).song);
  let shown: Show | null = null;
  let limited = true;
  return ({ scene, limit, time, scale, ...view }) => {
    if (shown?.scene.id !== scene || limited !== limit) shown = show(sceneOf(scene), signals, {}, { limit });
    limited = limit;
    const [width, height] = [Math.round(view.width * scale), Math.round(view.height * scale)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    g.setTransform(scale, 0, 0, scale, 0, 0);
    shown.draw(g, time, view);
  };
}

self.addEventListener("message", async ({ data }: MessageEvent<Place | Wish>) => {
  if ("canvas" in data) paint = await begin(data);
  else paint?.(data);
  self.postMessage("done");
});
