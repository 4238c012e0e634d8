// Loom: the song woven, a row for each sixteenth. The cloth at its end is a poster of the song.

import { BLACK, type Colour, css, INK, lightOf, mix, WHITE } from "./colour.ts";
import { glow, height, ramp, stamp } from "./drawing.ts";
import type { Canvas, Frame, Scene } from "./scene.ts";
import { Weave } from "./weave.ts";

const THREADS = 96;
const HALF = THREADS / 2;
const FELL = 0.26; // where the cloth begins, as a share of the height
const YARN: Colour = 0x1d1b22;
const BARE: Colour = 0x17192c;
const LATE = 0.012; // seconds into a row at which it is read: what is on the beat is in it

// Threads from the middle of the cloth, which is the same on both sides.
const CENTRE = 4.6;
const HEM = [38, 45] as const;
const SELVEDGE = 45.5;
const THREAD = [9, 36] as const;

export const loom: Scene = {
  id: "loom",
  name: "Loom",
  about: "Cloth, a row a sixteenth",
  slots: [
    { id: "ground", name: "Ground", kind: "curve", signal: "bass.rms", otherwise: "other.rms", flash: true },
    { id: "centre", name: "Centre", kind: "curve", signal: "drums.kick", otherwise: "song.beats", flash: true },
    { id: "hem", name: "Hem", kind: "curve", signal: "drums.snare", flash: true },
    { id: "selvedge", name: "Selvedge", kind: "curve", signal: "drums.hat", otherwise: "song.onsets" },
    { id: "thread", name: "Thread", kind: "curve", signal: "vocals.pitch" },
    { id: "diamonds", name: "Diamonds", kind: "events", signal: "other.chroma" },
    { id: "bar", name: "Bar mark", kind: "events", signal: "song.bars" },
  ],
  draw(g, frame) {
    const cloth = clothOf(frame);
    if (!frame.transparent) {
      g.fillStyle = "#0e0d10";
      g.fillRect(0, 0, frame.width, frame.height);
    }
    warp(g, frame, cloth);
    weave(g, frame, cloth);
    edge(g, frame, cloth);
    shuttle(g, frame, cloth);
    if (!frame.transparent) vignette(g, frame);
  },
};

interface Cloth {
  /** A thread's width and a row's height. */
  readonly wide: number;
  readonly high: number;
  readonly fell: number;
  /** The row that is being woven, and how much of it is. */
  readonly row: number;
  readonly share: number;
  readonly rows: number;
}

function clothOf({ width, height: all, inset, time, grid }: Frame): Cloth {
  const wide = width / THREADS;
  const high = wide * 0.86;
  const fell = all * (1 - inset) * FELL;
  const place = 4 * grid.place(time);
  const row = Math.floor(place);
  return { wide, high, fell, row, share: place - row, rows: Math.ceil((all - fell) / high) + 1 };
}

/** Bare threads above the cloth, which the ground's sound sets trembling. */
function warp(g: Canvas, frame: Frame, { wide, fell }: Cloth): void {
  const tremble = frame.still ? 0 : frame.input("ground").value(frame.time) * wide * 0.22;
  for (let thread = 0; thread < THREADS; thread++) {
    const aside = (thread % 2 ? 1 : -1) * Math.sin(frame.time * 40 + thread * 0.2) * tremble;
    g.fillStyle = thread % 2 ? "#47403a" : "#3b352f";
    g.fillRect((thread + 0.34) * wide + aside, 0, wide * 0.32, fell + 2);
  }
}

function weave(g: Canvas, frame: Frame, { high, fell, row, share, rows }: Cloth): void {
  const { grid } = frame;
  const tapestry = new Weave(THREADS, rows + 1);
  const diamonds = diamondsOf(frame, row - rows, row);
  const bars = new Set(
    frame
      .input("bar")
      .events(grid.time((row - rows) / 4) - LATE, grid.time((row + 1) / 4))
      .map(({ t }) => rowOf(frame, t)),
  );
  for (let back = 0; back <= rows; back++) {
    const at = row - back;
    const seconds = grid.time(at / 4) + LATE;
    if (seconds < 0) break;
    const colours = colourRow(frame, at, seconds, diamonds.get(at) ?? [], bars.has(at));
    colours.forEach((colour, away) => {
      tapestry.put(back, HALF - 1 - away, colour, at);
      tapestry.put(back, HALF + away, colour, at);
    });
  }
  g.save();
  g.beginPath();
  g.rect(0, fell, frame.width, frame.height - fell);
  g.clip();
  tapestry.draw(g, 0, fell + (share - 1) * high, frame.width, (rows + 1) * high);
  g.restore();
}

/** The colours of half a row, from the middle out. */
function colourRow(frame: Frame, row: number, seconds: number, diamonds: readonly Diamond[], mark: boolean): Colour[] {
  const colours: Colour[] = [];
  const ground = frame.input("ground");
  const level = ground.value(seconds);
  const yarn = level > 0.02 ? mix(BARE, lightOf(ground.body), 0.2 + 0.7 * level) : YARN;
  const [centre, hem, selvedge] = ["centre", "hem", "selvedge"].map((slot) => frame.input(slot));
  const [middle, edges, outer] = [centre, hem, selvedge].map((input) => input?.value(seconds) ?? 0) as [
    number,
    number,
    number,
  ];
  const thread = frame.input("thread");
  const at = height(thread, seconds);
  const pick = row & 15;
  const lozenge = pick > 7 ? 16 - pick : pick;
  for (let away = 0; away < HALF; away++) {
    const m = away + 0.5;
    let colour = yarn;
    if ((m + lozenge) % 12 < 1) colour = mix(colour, INK, 0.22);
    for (const { from, to, light, tint } of diamonds) if (m > from && m < to) colour = mix(tint, 0xf7c9a0, light);
    if (at !== null && Math.abs(m - THREAD[0] - at * (THREAD[1] - THREAD[0])) < 1.9) colour = lightOf(thread.body);
    if (edges > 0.3 && m > HEM[0] && m < HEM[1] && hem) colour = lightOf(hem.body);
    if (centre && (middle > 0.3 ? m < CENTRE : middle > 0.12 && m < CENTRE / 2)) colour = lightOf(centre.body);
    if (selvedge && outer > 0.25 && m > SELVEDGE && away % 2 === (row & 1))
      colour = mix(lightOf(selvedge.body), WHITE, 0.35);
    if (mark && m > SELVEDGE) colour = INK;
    colours.push(colour);
  }
  return colours;
}

interface Diamond {
  readonly from: number;
  readonly to: number;
  readonly light: number;
  readonly tint: Colour;
}

/** What begins is a diamond of four rows, out from the middle by its pitch; by row. */
function diamondsOf(frame: Frame, first: number, last: number): Map<number, Diamond[]> {
  const input = frame.input("diamonds");
  const [low, high] = input.range;
  const tint = lightOf(input.body);
  const rows = new Map<number, Diamond[]>();
  for (const { t, note } of input.events(frame.grid.time((first - 4) / 4), frame.grid.time((last + 1) / 4))) {
    const begun = rowOf(frame, t);
    const place = 8 + (26 * ((note ?? low) - low)) / (high - low);
    for (let age = 0; age < 4; age++) {
      const half = 2.6 - Math.abs(age - 1.2);
      const row = rows.get(begun + age) ?? [];
      row.push({ from: place - half, to: place + half, light: age === 1 ? 0.25 : 0, tint });
      rows.set(begun + age, row);
    }
  }
  return rows;
}

function rowOf({ grid }: Frame, seconds: number): number {
  return Math.round(4 * grid.place(seconds));
}

/** The shade under the fell, where the cloth is newest. */
function edge(g: Canvas, { width, height: all }: Frame, { fell, high }: Cloth): void {
  const deep = all * 0.1;
  g.fillStyle = ramp(
    g,
    [0, fell, 0, fell + deep],
    [
      [0, css(BLACK, 0.6)],
      [1, css(BLACK, 0)],
    ],
  );
  g.fillRect(0, fell - high, width, deep);
}

/** The pipe lies down as the shuttle; what is woven now lights along it. */
function shuttle(g: Canvas, frame: Frame, { wide, high, fell }: Cloth): void {
  const { time, width, height: all } = frame;
  const y = fell - high * 1.5;
  const thick = Math.max(2, all * 0.006);
  g.fillStyle = css(INK);
  g.fillRect(0, y - thick / 2, width, thick);
  const lamp = (slot: string, away: number, size: number, light: number) => {
    const input = frame.input(slot);
    if (input.empty) return;
    for (const x of away ? [width / 2 - away * wide, width / 2 + away * wide] : [width / 2]) {
      glow(g, x, y, size * all * 1.6, lightOf(input.body), 0.6 * light);
      const tall = size * all * (frame.still ? 1.2 : 1 + 0.4 * light);
      stamp(g, input.body, x, y, tall, css(mix(0x2a282c, lightOf(input.body), 0.35 + 0.65 * light)));
    }
  };
  lamp("centre", 0, 0.036, frame.input("centre").value(time));
  lamp("hem", (HEM[0] + HEM[1]) / 2, 0.024, frame.input("hem").value(time));
  const at = height(frame.input("thread"), time);
  if (at !== null) lamp("thread", THREAD[0] + at * (THREAD[1] - THREAD[0]), 0.03, 0.8);
  const diamonds = frame.input("diamonds");
  const [low, top] = diamonds.range;
  for (const { note, v } of diamonds.events(time, time + 1e-4)) {
    lamp("diamonds", 8 + (26 * ((note ?? low) - low)) / (top - low), 0.024, v);
  }
}

function vignette(g: Canvas, { width: w, height: all, inset }: Frame): void {
  const h = all * (1 - inset);
  const dark = g.createRadialGradient(w / 2, h * 0.45, Math.min(w, h) * 0.3, w / 2, h * 0.5, Math.max(w, h) * 0.72);
  dark.addColorStop(0, css(BLACK, 0));
  dark.addColorStop(1, css(BLACK, 0.6));
  g.fillStyle = dark;
  g.fillRect(0, 0, w, all);
}
