// Cloth as pixels. Five thousand crossings of two threads are too many to draw each by itself, so that all are
// written into one small picture, which is laid on enlarged.

import type { Colour } from "./colour.ts";
import { scratch } from "./drawing.ts";
import type { Canvas } from "./scene.ts";

const GRAIN = 4; // pixels of a crossing, each way
// How light each pixel of a crossing is, in 256ths: a thread is round, and casts a shade on the next.
const OVER = [
  [272, 284, 284, 236],
  [256, 262, 262, 224],
  [244, 250, 250, 212],
  [176, 182, 182, 150],
];
const UNDER = 0.72; // of a thread that goes under

export class Weave {
  readonly #sheet: OffscreenCanvasRenderingContext2D;
  readonly #picture: ImageData;
  readonly #pixels: Uint32Array;
  readonly #width: number;

  /** Cloth of so many threads and rows, without colour at first. */
  constructor(threads: number, rows: number) {
    this.#width = threads * GRAIN;
    this.#sheet = scratch(this.#width, rows * GRAIN);
    this.#picture = this.#sheet.createImageData(this.#width, rows * GRAIN);
    this.#pixels = new Uint32Array(this.#picture.data.buffer);
  }

  /** Colour a crossing of the row `row` from the top; `pick` is its number in the whole cloth. */
  put(row: number, thread: number, colour: Colour, pick: number): void {
    // A twill: over two, under two, a thread further on with each row.
    const level = ((thread + pick) & 2) === 0 ? 1 : UNDER;
    for (let y = 0; y < GRAIN; y++) {
      const start = (row * GRAIN + y) * this.#width + thread * GRAIN;
      for (let x = 0; x < GRAIN; x++) {
        const light = ((OVER[y]?.[x] ?? 256) * level) / 256;
        const red = Math.min(255, (colour >> 16) * light);
        const green = Math.min(255, ((colour >> 8) & 255) * light);
        const blue = Math.min(255, (colour & 255) * light);
        this.#pixels[start + x] = 0xff000000 | (blue << 16) | (green << 8) | red;
      }
    }
  }

  draw(g: Canvas, x: number, y: number, width: number, height: number): void {
    this.#sheet.putImageData(this.#picture, 0, 0);
    g.drawImage(this.#sheet.canvas, x, y, width, height);
  }
}
