import { css, lightOf } from "../src/scenes/colour.ts";
import { glow, stamp } from "../src/scenes/drawing.ts";
import type { Scene } from "../src/scenes/scene.ts";

/** A body that swells with a curve, and sparks that fly off it with each event. */
export const pulse: Scene = {
  id: "pulse",
  name: "Pulse",
  about: "A heart with sparks",
  slots: [
    { id: "heart", name: "Heart", kind: "curve", signal: "bass.rms", flash: true },
    { id: "sparks", name: "Sparks", kind: "events", signal: "drums.hits" },
  ],
  draw(g, { width, height, inset, time, transparent, still, input }) {
    const [x, y] = [width / 2, (height * (1 - inset)) / 2];
    if (!transparent) {
      g.fillStyle = "#0a0b0c";
      g.fillRect(0, 0, width, height);
    }
    const heart = input("heart");
    const size = y * (0.5 + (still ? 0 : 0.3 * heart.value(time)));
    glow(g, x, y, 2 * size, lightOf(heart.body), 0.6 * heart.value(time));
    stamp(g, heart.body, x, y, size, css(lightOf(heart.body)));
    const sparks = input("sparks");
    for (const { t, v } of sparks.events(time - 1, time)) {
      const away = (time - t) * width * 0.5;
      const turn = t * 7; // from its time alone, so that it flies the same way each time
      const light = css(lightOf(sparks.body), 1 - (time - t));
      stamp(g, sparks.body, x + away * Math.cos(turn), y + away * Math.sin(turn), 0.1 * y * v, light);
    }
  },
};
