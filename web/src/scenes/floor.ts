// Floor: a bar as a floor of blocks, sixteenths by rows. Blocks rise when they are struck.

import type { Input } from "../signals/signal.ts";
import { BLACK, css, lightOf, mix, WHITE } from "./colour.ts";
import { glow, polygon, ramp, stamp } from "./drawing.ts";
import type { Canvas, Frame, Scene } from "./scene.ts";

const ROWS = [
  { slot: "hats", mark: 0.26 },
  { slot: "snares", mark: 0.42 },
  { slot: "kicks", mark: 0.56 },
  { slot: "fourth", mark: 0.42 },
  { slot: "fifth", mark: 0.42 },
  { slot: "sixth", mark: 0.42 },
] as const;
const MOST_STEPS = 32;
const GAP = 0.07; // between blocks, as a share of one
const TILE = 0x221c31;

export const floor: Scene = {
  id: "floor",
  name: "Floor",
  about: "Drum grid, in blocks",
  slots: [
    { id: "hats", name: "First row", kind: "events", signal: "drums.hat", otherwise: "song.onsets", flash: true },
    { id: "snares", name: "Second row", kind: "events", signal: "drums.snare", flash: true },
    { id: "kicks", name: "Third row", kind: "events", signal: "drums.kick", otherwise: "song.beats", flash: true },
    { id: "fourth", name: "Fourth row", kind: "events", signal: "bass.onsets", otherwise: "other.notes", flash: true },
    { id: "fifth", name: "Fifth row", kind: "events", signal: "other.onsets", flash: true },
    { id: "sixth", name: "Sixth row", kind: "events", signal: "vocals.onsets", flash: true },
    { id: "bar", name: "Bar of light", kind: "curve", signal: "song.beats" },
  ],
  draw(g, frame) {
    const plan = planOf(frame);
    if (!frame.transparent) {
      g.fillStyle = ramp(
        g,
        [0, 0, 0, frame.height],
        [
          [0, "#191226"],
          [1, "#08070d"],
        ],
      );
      g.fillRect(0, 0, frame.width, frame.height);
    }
    const rows = ROWS.map(({ slot }) => struck(plan, frame.input(slot)));
    // From the back to the front, so that what is near covers what is far.
    for (let step = 0; step < plan.steps; step++) {
      ROWS.forEach(({ slot, mark }, row) => {
        block(g, frame, plan, { input: frame.input(slot), mark, step, row, strength: rows[row]?.[step] ?? 0 });
      });
    }
  },
};

interface Plan {
  /** In one bar. */
  readonly steps: number;
  /** When each step is, and when the bar ends. */
  readonly times: readonly number[];
  /** The step that is now, with the share of the way to the next. */
  readonly now: number;
  readonly unit: number;
  point(step: number, row: number, up: number): readonly [number, number];
}

function planOf({ width: w, height, inset, time, grid }: Frame): Plan {
  const h = height * (1 - inset);
  const { start, end } = grid.bar(time);
  const steps = Math.min(MOST_STEPS, 4 * (end - start));
  const times = Array.from({ length: steps + 1 }, (_, step) => grid.time(start + ((end - start) * step) / steps));
  const now = ((grid.place(time) - start) * steps) / (end - start);
  const unit = Math.min(w / (steps + 8.5), h / (0.44 * (steps + ROWS.length) + 4.2));
  const left = w / 2 - (steps - ROWS.length) * unit * 0.51;
  const top = h / 2 - (steps + ROWS.length) * unit * 0.22 + unit * 0.4;
  return {
    steps,
    times,
    now,
    unit,
    point: (step, row, up) => [left + (step - row) * unit * 1.02, top + (step + row) * unit * 0.44 - up],
  };
}

/** How strongly each step of the bar is struck; 0 where it is not. */
function struck({ times, steps }: Plan, input: Input): readonly number[] {
  const strengths = new Array<number>(steps).fill(0);
  const [from, until] = [times[0] ?? 0, times[steps] ?? 0];
  const half = (until - from) / steps / 2;
  for (const { t, v } of input.events(from - half, until - half)) {
    const step = Math.min(steps - 1, Math.max(0, Math.round((t - from) / (2 * half))));
    strengths[step] = Math.max(strengths[step] ?? 0, 0.3 + 0.7 * v);
  }
  return strengths;
}

interface Block {
  readonly input: Input;
  /** How large the body on top is, as a share of the block. */
  readonly mark: number;
  readonly step: number;
  readonly row: number;
  /** 0 for a tile where nothing is struck. */
  readonly strength: number;
}

function block(g: Canvas, frame: Frame, plan: Plan, { input, mark, step, row, strength }: Block): void {
  const { unit, now, point } = plan;
  const age = now - step;
  const hot = strength && age >= 0 && age < 5 ? Math.exp(-0.65 * age) : 0;
  const colour = lightOf(input.body);
  const up = (strength ? unit * (0.22 + 0.5 * strength) : unit * 0.06) + (frame.still ? 0.3 : 1.25) * hot * unit;
  const under = barOfLight(frame, plan, step);
  const top = strength ? mix(mix(0x231d33, colour, 0.42), mix(colour, WHITE, 0.3), hot) : mix(TILE, 0x5b5378, under);
  if (hot > 0.25) {
    const [x, y] = point(step + 0.5, row + 0.5, up * 0.3);
    g.globalCompositeOperation = "lighter";
    glow(g, x, y, unit * 3.2, colour, 0.36 * hot, 2);
    g.globalCompositeOperation = "source-over";
  }
  const [back, right, near, left] = [
    point(step + GAP, row + GAP, up),
    point(step + 1 - GAP, row + GAP, up),
    point(step + 1 - GAP, row + 1 - GAP, up),
    point(step + GAP, row + 1 - GAP, up),
  ];
  const feet = (corner: readonly [number, number]) => [corner[0], corner[1] + up];
  polygon(g, [...left, ...near, ...feet(near), ...feet(left)], css(mix(top, BLACK, 0.55)));
  polygon(g, [...right, ...near, ...feet(near), ...feet(right)], css(mix(top, BLACK, 0.36)));
  polygon(g, [...back, ...right, ...near, ...left], css(top));
  if (strength) {
    const [x, y] = point(step + 0.5, row + 0.5, up);
    g.save();
    g.transform(1.02, 0.44, -1.02, 0.44, x, y);
    stamp(g, input.body, 0, 0, unit * mark, css(hot > 0.3 ? 0x17121f : mix(colour, WHITE, 0.15)));
    g.restore();
  } else if (under > 0.5) {
    g.strokeStyle = css(WHITE, 0.4);
    g.lineWidth = 1;
    g.beginPath();
    for (const [x, y] of [back, right, near, left, back]) g.lineTo(x, y);
    g.stroke();
  }
}

/** How much the bar of light lights a step: the one that is now, and as wide as its signal is strong. */
function barOfLight(frame: Frame, { now }: Plan, step: number): number {
  const away = Math.abs(now - step - 0.5) - 0.5;
  if (away <= 0) return 0.75;
  return Math.max(0, 0.45 * (1 - away / (0.01 + 2 * frame.input("bar").value(frame.time))));
}
