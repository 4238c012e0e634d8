// Balance: a mobile before a pale wall. What is loud is heavy: arms tilt, and shadows fall.

import type { Input } from "../signals/signal.ts";
import { BLACK, type Colour, css, lightOf } from "./colour.ts";
import { lately, ramp, scratch, stamp } from "./drawing.ts";
import type { Canvas, Frame, Scene } from "./scene.ts";

const SLOW = 1.2; // seconds over which a weight is taken
const LINKS = 3; // of the chain
const SHADOW = 4; // a shadow's pixel, in the picture's: it is soft anyway
const WIRE: Colour = 0x1a1a1c;

export const balance: Scene = {
  id: "balance",
  name: "Balance",
  about: "A mobile that weighs",
  slots: [
    { id: "first", name: "First weight", kind: "curve", signal: "vocals.rms" },
    { id: "second", name: "Second weight", kind: "curve", signal: "drums.rms" },
    { id: "third", name: "Third weight", kind: "curve", signal: "bass.rms" },
    { id: "fourth", name: "Fourth weight", kind: "curve", signal: "other.rms" },
    { id: "swing", name: "Swing", kind: "events", signal: "song.beats" },
    { id: "knock", name: "Knock", kind: "curve", signal: "drums.snare", otherwise: "song.beats" },
    { id: "chain", name: "Chain", kind: "events", signal: "other.notes" },
  ],
  draw(g, frame) {
    const parts = hung(frame);
    if (!frame.transparent) {
      wall(g, frame);
      shadows(g, frame, parts);
    }
    const unit = unitOf(frame);
    for (const part of parts) draw(g, part, unit, part.kind === "body" ? css(lightOf(part.input.body)) : css(WIRE));
  },
};

type Point = readonly [x: number, y: number];
type Part =
  | { readonly kind: "rod"; readonly from: Point; readonly over: Point; readonly to: Point }
  | { readonly kind: "string"; readonly from: Point; readonly to: Point }
  | { readonly kind: "body"; readonly input: Input; readonly at: Point; readonly size: number; readonly turn: number };

function unitOf({ width, height, inset }: Frame): number {
  return Math.min(width * 0.66, height * (1 - inset) * 1.12) / 100;
}

/** Everything that hangs, from the ceiling down. */
function hung(frame: Frame): readonly Part[] {
  const { time, still } = frame;
  const u = unitOf(frame);
  const parts: Part[] = [];
  const weigh = (slot: string) => Math.min(1, 1.15 * lately(frame.input(slot), time, still ? 3 * SLOW : SLOW));
  const [first, second, third, fourth] = [weigh("first"), weigh("second"), weigh("third"), weigh("fourth")];
  const swing = frame.input("swing");
  const beats = swing.empty ? frame.grid.place(time) : swing.phase(time);
  const sway = (slow: number, k: number) => (still ? 0 : Math.sin(beats * Math.PI * slow + k) * 0.03);

  /** A rod that hangs by a point of it, `left` and `right` of that; its two ends. */
  const rod = ([x, y]: Point, left: number, right: number, tilt: number): [Point, Point] => {
    const [across, down] = [Math.cos(tilt) * u, Math.sin(tilt) * u];
    const from: Point = [x - across * left, y - down * left];
    const to: Point = [x + across * right, y + down * right];
    parts.push({ kind: "rod", from, over: [x, y - u * 5], to });
    return [from, to];
  };
  const string = (from: Point, long: number, aside = 0): Point => {
    const to: Point = [from[0] + aside * u, from[1] + long * u];
    parts.push({ kind: "string", from, to });
    return to;
  };
  const body = (slot: string, at: Point, size: number, turn: number) => {
    const input = frame.input(slot);
    if (!input.empty) parts.push({ kind: "body", input, at: [at[0], at[1] + (size * u) / 2], size: size * u, turn });
  };

  const ceiling: Point = [frame.width * 0.475, -2];
  const top = string(ceiling, 9);
  const [a, b] = rod([top[0], top[1] + 2 * u], 37, 27, (second + third + fourth - 2.1 * first) * 0.16 + sway(0.25, 0));
  body("first", string(a, 7 + 3 * first, sway(0.5, 1) * 20), 14 + 13 * first, sway(0.5, 2));
  const second0 = string(b, 9);
  const tilt = (third + fourth - 1.4 * second) * 0.2 + sway(0.5, 3);
  const [c, d] = rod([second0[0], second0[1] + 2 * u], 24, 19, tilt);
  const knock = still ? 0 : frame.input("knock").value(time) * 0.16;
  body("second", string(c, 7, sway(1, 4) * 9), 11 + 10 * second, sway(1, 5) * 2 + knock);
  const third0 = string(d, 8);
  const [e, f] = rod([third0[0], third0[1] + 2 * u], 17, 17, (fourth - third) * 0.22 + sway(0.5, 6));
  const low = string(e, 6, sway(0.5, 7) * 6);
  body("third", [low[0], low[1] - u], 15 + 14 * third, sway(0.5, 8));
  const last = string(f, 10, sway(0.5, 9) * 6);
  body("fourth", [last[0], last[1] - 2 * u], 10 + 7 * fourth, sway(0.7, 10));
  let end: Point = [last[0], last[1] + (8 + 7 * fourth) * u];
  const chain = frame.input("chain");
  for (const { v, note } of chain.events(time - 0.05, time + 1e-4).slice(-LINKS)) {
    const size = 4 + 3 * v + (note === null ? 1 : 0);
    const hook = string(end, 3);
    parts.push({ kind: "body", input: chain, at: [hook[0], hook[1] + (size / 2 - 1) * u], size: size * u, turn: 0 });
    end = [hook[0], hook[1] + (size - 0.6) * u];
  }
  return parts;
}

function wall(g: Canvas, { width: w, height: all, inset }: Frame): void {
  const h = all * (1 - inset);
  const light = g.createRadialGradient(w * 0.42, h * 0.28, h * 0.1, w * 0.5, h * 0.5, w * 0.75);
  light.addColorStop(0, "#f3efe8");
  light.addColorStop(0.5, "#d9d4cc");
  light.addColorStop(1, "#8f8a86");
  g.fillStyle = light;
  g.fillRect(0, 0, w, all);
  g.fillStyle = ramp(
    g,
    [0, h * 0.93, 0, h],
    [
      [0, "#6e6963"],
      [1, "#8d8780"],
    ],
  );
  g.fillRect(0, h * 0.93, w, all - h * 0.93);
}

/** Shadows on the wall: drawn small, and blurred once as they are laid on. */
function shadows(g: Canvas, frame: Frame, parts: readonly Part[]): void {
  const { width, height } = frame;
  const u = unitOf(frame);
  const dark = scratch(Math.ceil(width / SHADOW), Math.ceil(height / SHADOW));
  dark.scale(1 / SHADOW, 1 / SHADOW);
  for (const part of parts) draw(dark, part, u, css(BLACK));
  g.save();
  g.globalAlpha = 0.24;
  g.filter = `blur(${Math.max(2, u * 1.1)}px)`;
  g.drawImage(dark.canvas, u * 7, u * 8, dark.canvas.width * SHADOW, dark.canvas.height * SHADOW);
  g.restore();
}

function draw(g: Canvas, part: Part, unit: number, ink: string): void {
  if (part.kind === "body") {
    stamp(g, part.input.body, part.at[0], part.at[1], part.size, ink, part.turn);
    return;
  }
  g.strokeStyle = ink;
  g.lineCap = "round";
  g.lineWidth = unit * (part.kind === "rod" ? 0.55 : 0.22);
  g.beginPath();
  g.moveTo(...part.from);
  if (part.kind === "rod") g.quadraticCurveTo(...part.over, ...part.to);
  else g.lineTo(...part.to);
  g.stroke();
}
