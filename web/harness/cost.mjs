// What a frame of each scene costs the main thread, in milliseconds of processor time: a canvas that does nothing
// stands in for the real one. node harness/cost.mjs FOLDER, of an analysis; prints JSON.

import { readFileSync } from "node:fs";
import process from "node:process";

const FRAMES = 240;
const VIEW = { width: 1920, height: 1080, inset: 0.2, transparent: false, still: false };

const nothing = () => {};
const gradient = { addColorStop: nothing };
const canvas = new Proxy(
  {},
  {
    get(_, name) {
      if (name === "canvas") return { width: 1, height: 1 };
      if (name === "createImageData") return (width, height) => ({ data: new Uint8ClampedArray(4 * width * height) });
      return String(name).startsWith("create") ? () => gradient : nothing;
    },
    set: () => true,
  },
);
Object.assign(globalThis, {
  Path2D: class {},
  OffscreenCanvas: class {
    getContext = () => canvas;
  },
});

const { SCENES } = await import("../src/scenes/all.ts");
const { show } = await import("../src/scenes/show.ts");
const { Signals } = await import("../src/signals/signals.ts");
const { songOf } = await import("../src/signals/song.ts");

const folder = process.argv[2];
const curves = readFileSync(`${folder}/curves.bin`);
const bytes = curves.buffer.slice(curves.byteOffset, curves.byteOffset + curves.byteLength);
const signals = new Signals(songOf("", JSON.parse(readFileSync(`${folder}/analysis.json`, "utf8")), bytes));
const costs = {};
for (const scene of SCENES) {
  const picture = show(scene, signals, {}, { limit: true });
  const draw = (frames, from) => {
    for (let frame = 0; frame < frames; frame++) picture.draw(canvas, from + frame / 60, VIEW);
  };
  draw(60, 1);
  const before = process.cpuUsage();
  draw(FRAMES, signals.song.duration / 2);
  const { user, system } = process.cpuUsage(before);
  costs[scene.id] = (user + system) / 1000 / FRAMES;
}
console.log(JSON.stringify(costs));
