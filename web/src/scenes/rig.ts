// Rig: a stage with beams in haze. The shapes are the band; behind them the bass stands like a sun.

import type { Body } from "../bodies.ts";
import { BLACK, type Colour, css, lightOf, mix, WHITE } from "./colour.ts";
import { glow, hash, height, ramp, stamp } from "./drawing.ts";
import type { Canvas, Frame, Scene } from "./scene.ts";

const FANS = [0.14, 0.243, 0.346, 0.654, 0.757, 0.86]; // where lamps hang, as shares of the width
const BLINDERS = [0.3, 0.7];
const OUTER = [0.1, 0.9];
const SPOTS = [0.335, 0.665];
const DIM = 0.06; // of a lamp that is on but not lit

export const rig: Scene = {
  id: "rig",
  name: "Rig",
  about: "Beams and haze",
  slots: [
    { id: "spot", name: "Follow spot", kind: "curve", signal: "vocals.pitch" },
    { id: "size", name: "Spot size", kind: "curve", signal: "vocals.rms", flash: true },
    { id: "blinders", name: "Blinders", kind: "curve", signal: "drums.kick", otherwise: "song.beats", flash: true },
    { id: "outer", name: "Outer beams", kind: "curve", signal: "drums.snare", otherwise: "song.onsets", flash: true },
    { id: "sweep", name: "Sweep", kind: "curve", signal: "other.rms", flash: true },
    { id: "horizon", name: "Horizon", kind: "curve", signal: "bass.rms", otherwise: "other.rms", flash: true },
    { id: "pan", name: "Pan", kind: "events", signal: "song.bars" },
  ],
  draw(g, frame) {
    const stage = levels(frame);
    if (!frame.transparent) night(g, frame, stage);
    horizon(g, frame, stage);
    truss(g, stage);
    g.globalCompositeOperation = "lighter";
    fans(g, frame, stage);
    blinders(g, frame, stage);
    spots(g, frame, stage);
    g.globalCompositeOperation = "source-over";
    band(g, frame, stage);
    lamps(g, stage);
    if (!frame.transparent) crowd(g, frame, stage);
  },
};

interface Stage {
  readonly w: number;
  /** The height that is not covered. */
  readonly h: number;
  readonly floor: number;
  readonly horizon: number;
  readonly truss: number;
  /** Where the follow spot points. */
  readonly spotY: number;
}

function levels({ width: w, height: all, inset, time, ...frame }: Frame): Stage {
  const h = all * (1 - inset);
  const at = height(frame.input("spot"), time) ?? 0.45;
  return { w, h, floor: 0.76 * h, horizon: 0.7 * h, truss: 0.07 * h, spotY: h * (0.56 - 0.17 * at) };
}

function night(g: Canvas, { height: all, ...frame }: Frame, { w, h, floor, horizon: line }: Stage): void {
  const bass = frame.input("horizon");
  g.fillStyle = "#050507";
  g.fillRect(0, 0, w, all);
  g.fillStyle = ramp(
    g,
    [0, 0, 0, floor],
    [
      [0, "#07080b"],
      [1, "#12131c"],
    ],
  );
  g.fillRect(0, 0, w, floor);
  const wet = mix(0x0b0c14, lightOf(bass.body), 0.12 + 0.34 * bass.value(frame.time));
  g.fillStyle = ramp(
    g,
    [0, line, 0, h],
    [
      [0, css(wet)],
      [0.5, "#0a0b11"],
      [1, "#050507"],
    ],
  );
  g.fillRect(0, line, w, h - line);
}

/** Half-discs, one behind the other, that swell. */
function horizon(g: Canvas, frame: Frame, { w, h, horizon: line }: Stage): void {
  const input = frame.input("horizon");
  if (input.empty) return;
  const level = input.value(frame.time);
  const swell = frame.still ? 0 : level;
  const colour = lightOf(input.body);
  g.save();
  g.beginPath();
  g.rect(0, 0, w, line);
  g.clip();
  for (let ring = 7; ring >= 0; ring--) {
    const radius = h * (0.16 + 0.062 * ring) * (1 + 0.12 * swell * (1 - ring / 9));
    g.fillStyle = css(colour, ring === 0 ? 0.95 : (0.34 - 0.04 * ring) * (0.55 + 0.6 * level));
    g.beginPath();
    g.arc(w / 2, line, radius, Math.PI, 0);
    g.fill();
  }
  g.restore();
  const haze = g.createRadialGradient(w / 2, line, h * 0.1, w / 2, line, w * 0.55);
  haze.addColorStop(0, css(colour, 0.35));
  haze.addColorStop(1, css(colour, 0));
  g.fillStyle = haze;
  g.fillRect(0, 0, w, h);
}

function truss(g: Canvas, { w, h, truss: y }: Stage): void {
  const deep = h * 0.035;
  g.strokeStyle = "#2b2e36";
  g.lineWidth = Math.max(1, h * 0.004);
  g.beginPath();
  g.moveTo(w * 0.06, y);
  g.lineTo(w * 0.94, y);
  g.moveTo(w * 0.06, y + deep);
  g.lineTo(w * 0.94, y + deep);
  for (let brace = 0; brace < 36; brace++) {
    const x = w * (0.06 + (0.88 * brace) / 36);
    g.moveTo(x, y);
    g.lineTo(x + w * 0.0122, y + deep);
    g.lineTo(x + w * 0.0244, y);
  }
  g.stroke();
}

/** A fan of beams that sweeps to and fro, once in two of whatever pans it. */
function fans(g: Canvas, frame: Frame, stage: Stage): void {
  const { w, h, truss: y } = stage;
  const sweep = frame.input("sweep");
  if (sweep.empty) return;
  const level = sweep.value(frame.time);
  const turn = panOf(frame);
  FANS.forEach((place, lamp) => {
    const [x, swing] = [w * place, Math.sin(turn + lamp * 0.8) * w * 0.17];
    beam(g, stage, [x, y + h * 0.045, x + swing, h * 0.9], w * 0.032, lightOf(sweep.body), 0.16 + 0.5 * level);
    pool(g, x + swing, h * 0.865, w * 0.05, lightOf(sweep.body), 0.22 * level);
  });
}

function panOf(frame: Frame): number {
  const pan = frame.input("pan");
  return Math.PI * (pan.empty ? frame.time / 4 : pan.phase(frame.time));
}

/** Four narrow beams, hard and short. */
function blinders(g: Canvas, frame: Frame, stage: Stage): void {
  const { w, h, floor, truss: y } = stage;
  for (const [slot, places] of [
    ["blinders", BLINDERS],
    ["outer", OUTER],
  ] as const) {
    const input = frame.input(slot);
    if (input.empty) continue;
    const light = Math.max(DIM, input.value(frame.time) * 0.95);
    for (const place of places) {
      const x = w * (0.5 + (place - 0.5) * 0.66);
      beam(g, stage, [w * place, y + h * 0.045, x, floor + h * 0.11], w * 0.026, lightOf(input.body), light);
      pool(g, x, floor + h * 0.115, w * 0.075, lightOf(input.body), light * 0.55);
    }
  }
}

function spots(g: Canvas, frame: Frame, stage: Stage): void {
  const { w, h, floor, truss: y, spotY } = stage;
  const spot = frame.input("spot");
  const size = frame.input("size");
  if (spot.empty && size.empty) return;
  const level = size.value(frame.time);
  const colour = lightOf((spot.empty ? size : spot).body);
  for (const place of SPOTS) {
    const wide = h * 0.085 * (1 + 0.25 * level);
    beam(g, stage, [w * place, y + h * 0.045, w * 0.5, spotY], wide, colour, 0.2 + 0.65 * level);
  }
  pool(g, w * 0.5, floor + h * 0.03, w * 0.1 * (1 + 0.4 * level), colour, 0.08 + 0.5 * level);
  const halo = g.createRadialGradient(w * 0.5, spotY, 0, w * 0.5, spotY, h * 0.26);
  halo.addColorStop(0, css(colour, 0.4 * level));
  halo.addColorStop(1, css(colour, 0));
  g.fillStyle = halo;
  g.fillRect(0, 0, w, h);
}

/** The band: whose light the beams are, stands in it. */
function band(g: Canvas, frame: Frame, stage: Stage): void {
  const { w, h, floor, spotY } = stage;
  const { time, still } = frame;
  const side = Math.min(h * 0.15, w * 0.13);
  const drums = frame.input("blinders");
  const hit = Math.max(drums.value(time), frame.input("outer").value(time));
  const jump = still ? 0 : drums.value(time);
  if (!drums.empty) {
    const y = floor + h * 0.055 - side * 0.375 - jump * h * 0.014;
    player(g, stage, drums.body, w * 0.3, y, side * (0.98 + 0.08 * jump), hit, 0);
  }
  const sweep = frame.input("sweep");
  if (!sweep.empty) {
    const lean = still ? 0 : Math.sin(panOf(frame) * 2) * 0.03;
    player(g, stage, sweep.body, w * 0.7, floor + h * 0.055 - side * 0.31, side * 1.04, sweep.value(time), lean);
  }
  const spot = frame.input("spot");
  if (spot.empty) return;
  const level = frame.input("size").value(time);
  const tall = h * 0.105 * (still ? 1 : 0.85 + 0.3 * level);
  stamp(g, spot.body, w * 0.5, spotY, tall, litBy(lightOf(spot.body), 0.55 + 0.45 * level));
}

function player(
  g: Canvas,
  { h, floor }: Stage,
  body: Body,
  x: number,
  y: number,
  size: number,
  lit: number,
  lean: number,
) {
  const feet = floor + h * 0.057;
  g.save();
  g.globalAlpha = 0.28;
  g.translate(x, feet);
  g.scale(1, -0.5);
  g.translate(-x, -feet);
  stamp(g, body, x, y, size, css(mix(0x0b0c10, lightOf(body), 0.5)));
  g.restore();
  stamp(g, body, x, y, size, litBy(lightOf(body), lit), lean);
}

function litBy(colour: Colour, light: number): string {
  return css(mix(mix(0x101116, colour, 0.35), mix(colour, WHITE, 0.25 * light), 0.25 + 0.75 * light));
}

function lamps(g: Canvas, { w, h, truss: y }: Stage): void {
  const half = Math.min(h, w) * 0.012;
  for (const place of [...FANS, ...BLINDERS, ...OUTER, ...SPOTS]) {
    g.fillStyle = "#1b1d23";
    g.fillRect(w * place - half, y + h * 0.022, half * 2, h * 0.028);
    g.fillStyle = "#3a3d46";
    g.fillRect(w * place - half * 0.7, y + h * 0.046, half * 1.4, h * 0.005);
  }
}

/** Heads against the light; some raise a hand to the beat. */
function crowd(g: Canvas, { height: all, time, still, grid }: Frame, { w, h }: Stage): void {
  g.fillStyle = css(mix(BLACK, 0x101012, 0.3));
  g.fillRect(0, h * 0.99, w, all);
  const beat = Math.PI * grid.place(time);
  g.beginPath();
  for (let head = 0; head < 90; head++) {
    const x = ((head + 0.5) * w) / 88 + (hash(head, 1) - 0.7) * 0.006 * w;
    const raised = !still && hash(head, 2) > 0.62 ? (0.5 + 0.5 * Math.sin(beat + head)) * h * 0.02 : 0;
    const radius = h * (0.014 + 0.007 * hash(head, 3));
    const y = h * (0.955 + 0.03 * hash(head, 4)) - raised;
    g.moveTo(x + radius, y);
    g.arc(x, y, radius, 0, 2 * Math.PI);
    g.rect(x - radius * 1.25, y + radius * 0.9, radius * 2.5, h);
  }
  g.fill();
}

/** A cone of light, brightest where it leaves the lamp: seven cones one in the other, so that its edge is soft. */
function beam(
  g: Canvas,
  { h }: Stage,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  wide: number,
  colour: Colour,
  alpha: number,
): void {
  const long = Math.hypot(x1 - x0, y1 - y0);
  const lens = (2.5 * h) / 900;
  g.save();
  g.translate(x0, y0);
  g.rotate(Math.atan2(y1 - y0, x1 - x0));
  g.fillStyle = ramp(
    g,
    [0, 0, long, 0],
    [
      [0, css(mix(colour, WHITE, 0.6), alpha)],
      [0.12, css(colour, alpha * 0.75)],
      [0.6, css(colour, alpha * 0.3)],
      [1, css(colour, alpha * 0.06)],
    ],
  );
  g.globalAlpha = 0.2;
  for (let cone = 0; cone < 7; cone++) {
    const half = wide * (1 - cone * 0.135);
    g.beginPath();
    g.moveTo(0, -lens);
    g.lineTo(long, -half);
    g.lineTo(long, half);
    g.lineTo(0, lens);
    g.fill();
  }
  g.restore();
}

/** Light on the floor. */
function pool(g: Canvas, x: number, y: number, radius: number, colour: Colour, alpha: number): void {
  g.save();
  g.translate(x, y);
  g.scale(1, 0.2);
  glow(g, 0, 0, radius, mix(colour, WHITE, 0.2), alpha, 2);
  g.restore();
}
