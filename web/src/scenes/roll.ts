// Roll: the song as a player piano's paper. Holes light up over the brass bar.

import type { Body } from "../bodies.ts";
import type { Happening, Input } from "../signals/signal.ts";
import { css, lightOf, mix, WHITE } from "./colour.ts";
import { glow, lately, ramp, stamp } from "./drawing.ts";
import type { Canvas, Frame, Scene } from "./scene.ts";

const WOOD = "#2a221a";
const HOLE = "#33291c";
const BAR = 0.3; // where the brass bar is, as a share of the width
const SECONDS = 5.2; // of the width, at an ordinary tempo
const TRACKS = [
  { slot: "high", share: 0.2 },
  { slot: "middle", share: 0.17 },
  { slot: "inner", share: 0.15 },
  { slot: "low", share: 0.1 },
] as const;

export const roll: Scene = {
  id: "roll",
  name: "Roll",
  about: "Piano roll, on paper",
  slots: [
    { id: "high", name: "High track", kind: "events", signal: "vocals.notes" },
    { id: "middle", name: "Middle track", kind: "events", signal: "other.notes" },
    { id: "inner", name: "Inner track", kind: "events", signal: "piano.notes" },
    { id: "low", name: "Low track", kind: "events", signal: "bass.notes" },
    { id: "punches", name: "Edge punches", kind: "events", signal: "drums.hits", otherwise: "song.beats" },
    { id: "speed", name: "Paper speed", kind: "curve", signal: "song.tempo" },
  ],
  draw(g, frame) {
    const paper = sheetOf(frame);
    if (!frame.transparent) {
      g.fillStyle = WOOD;
      g.fillRect(0, 0, frame.width, frame.height);
    }
    sheet(g, frame, paper);
    lines(g, frame, paper);
    for (const lit of [false, true]) for (const track of paper.tracks) holes(g, frame, paper, track, lit);
    punches(g, frame, paper);
    bar(g, frame, paper);
    for (const track of paper.tracks) shine(g, frame, paper, track);
  },
};

interface TrackOnPaper {
  readonly input: Input;
  /** Where a note is. */
  y(note: number | null): number;
}

interface Paper {
  readonly h: number;
  readonly bar: number;
  /** Pixels a second. */
  readonly speed: number;
  readonly tracks: readonly TrackOnPaper[];
}

function sheetOf(frame: Frame): Paper {
  const h = frame.height * (1 - frame.inset);
  const speed = frame.input("speed");
  const pace = speed.empty ? 1 : 0.6 + lately(speed, frame.time, 2, 8);
  const there = TRACKS.map(({ slot, share }) => ({ input: frame.input(slot), share })).filter(
    ({ input }) => !input.empty,
  );
  // All the tracks share the paper between the edge and the punches.
  const shares = there.reduce((sum, { share }) => sum + share, 0);
  const room = 0.63;
  const gap = there.length ? Math.max(0.05, (room - Math.max(shares, 0.47)) / there.length) : 0;
  const scale = (room - gap * there.length) / Math.max(shares, 0.01);
  let top = 0.14;
  const tracks = there.map(({ input, share }) => {
    const [from, size] = [top + gap / 2, share * Math.min(1.5, scale)];
    const [low, high] = input.range;
    top += gap + share * scale;
    const y = (note: number | null) => h * (from + size * (1 - ((note ?? (low + high) / 2) - low) / (high - low)));
    return { input, y };
  });
  return { h, bar: frame.width * BAR, speed: ((frame.width / SECONDS) * pace) / (frame.still ? 2 : 1), tracks };
}

function sheet(g: Canvas, { width: w, time }: Frame, { h, speed }: Paper): void {
  g.fillStyle = ramp(
    g,
    [0, 0, w, 0],
    [
      [0, "#bda983"],
      [0.1, "#e2d3b0"],
      [0.3, "#f6ecd2"],
      [0.75, "#eaddbe"],
      [0.95, "#d2bf97"],
      [1, "#a8936b"],
    ],
  );
  g.fillRect(0, h * 0.04, w, h * 0.92);
  g.fillStyle = WOOD;
  const apart = h * 0.042;
  const first = -((time * speed) % apart) - apart;
  g.beginPath();
  for (let x = first; x < w + apart; x += apart) {
    for (const y of [0.068, 0.932]) {
      g.moveTo(x + apart * 0.15, h * y);
      g.arc(x, h * y, apart * 0.15, 0, 2 * Math.PI);
    }
  }
  g.fill();
}

function lines(g: Canvas, frame: Frame, { h, bar: at, speed }: Paper): void {
  const { width: w, time, grid } = frame;
  for (const { t, beat } of grid.beats(time - at / speed, time + (w - at) / speed)) {
    g.fillStyle = beat === 1 ? "#7a643a55" : "#7a643a22";
    g.fillRect(at + (t - time) * speed, h * 0.1, beat === 1 ? 2 : 1, h * 0.8);
  }
}

function seen({ width: w, time }: Frame, { bar: at, speed }: Paper, input: Input): readonly Happening[] {
  return input.events(time - (at + 20) / speed, time + (w - at + 20) / speed);
}

function holes(g: Canvas, frame: Frame, paper: Paper, { input, y }: TrackOnPaper, lit: boolean): void {
  const { time } = frame;
  for (const note of seen(frame, paper, input)) {
    const now = time >= note.t && time < note.t + Math.max(0.12, note.d);
    if (now !== lit) continue;
    hole(g, paper, input.body, paper.bar + (note.t - time) * paper.speed, note.d * paper.speed - 5, y(note.note), now);
  }
}

/** A hole, with its body punched at its head; lit from behind, or with the paper's edge catching light. */
function hole(g: Canvas, { h }: Paper, body: Body, x: number, length: number, y: number, lit: boolean): void {
  const size = h * 0.026;
  const colour = lightOf(body);
  const long = Math.max(size * 0.6, length);
  g.save();
  if (lit) {
    g.shadowColor = css(colour);
    g.shadowBlur = size * 2.2;
  }
  g.fillStyle = lit ? css(mix(colour, WHITE, 0.25)) : HOLE;
  g.beginPath();
  g.roundRect(x, y - size * 0.3, long, size * 0.6, body === "vocals" ? size * 0.3 : 1.5);
  g.fill();
  stamp(g, body, x + size * 0.3, y, size * 1.12, lit ? css(mix(colour, WHITE, 0.45)) : HOLE);
  g.restore();
  if (lit) return;
  g.fillStyle = "#fff8e044";
  g.fillRect(x, y + size * 0.32, long, 1);
}

function punches(g: Canvas, frame: Frame, paper: Paper): void {
  const { h, bar: at, speed } = paper;
  const input = frame.input("punches");
  for (const hit of seen(frame, paper, input)) {
    const age = frame.time - hit.t;
    const lit = age >= 0 && age < 0.12;
    const [row, size] = punchOf(hit.kind);
    const x = at - age * speed;
    if (lit) glow(g, x, h * row, h * 0.05, lightOf(input.body), 0.8);
    stamp(g, input.body, x, h * row, h * size, lit ? css(mix(lightOf(input.body), WHITE, 0.4)) : HOLE);
  }
}

/** The row of a drum, and its size, as shares of the height. */
function punchOf(kind: string): readonly [number, number] {
  if (kind === "kick" || kind === "tom") return [0.867, 0.026];
  if (kind === "snare" || kind === "") return [0.834, 0.02];
  return [0.805, 0.011];
}

/** The brass bar, and the shade it casts on the paper. */
function bar(g: Canvas, { width: w, height: all }: Frame, { h, bar: at }: Paper): void {
  g.save();
  g.globalCompositeOperation = "multiply";
  const shade: [number, string][] = [
    [0, "#ffffff"],
    [0.42, "#c9b48a"],
    [0.58, "#c9b48a"],
    [1, "#ffffff"],
  ];
  g.fillStyle = ramp(g, [at - w * 0.06, 0, at + w * 0.06, 0], shade);
  g.fillRect(at - w * 0.06, h * 0.04, w * 0.12, h * 0.92);
  g.restore();
  const thick = Math.max(4, h * 0.012);
  const brass: [number, string][] = [
    [0, "#5b4420"],
    [0.35, "#f3d894"],
    [0.6, "#b98f3f"],
    [1, "#4a3616"],
  ];
  g.fillStyle = ramp(g, [at - thick, 0, at + thick, 0], brass);
  g.fillRect(at - thick / 2, 0, thick, all);
}

/** Light through the bar where a note sounds. */
function shine(g: Canvas, { time }: Frame, { h, bar: at }: Paper, { input, y }: TrackOnPaper): void {
  for (const note of input.events(time, time + 1e-4)) {
    g.save();
    g.globalCompositeOperation = "lighter";
    glow(g, at, y(note.note), h * 0.11, lightOf(input.body), 0.95);
    g.restore();
    stamp(g, input.body, at, y(note.note), h * 0.034, css(WHITE));
  }
}
