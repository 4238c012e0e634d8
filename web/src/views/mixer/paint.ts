// Paints the mixer's screen: overview, ruler, lanes with notes and hits, the loop, and the pipe. What does not move is
// kept in a layer, so that a frame is a few pictures laid over each other.

import { BODIES, type Body, bodyOf } from "../../bodies.ts";
import type { Song } from "../../signals/song.ts";
import type { Stretch } from "../song/console.ts";
import { factorOf, isHeard, type Mix } from "../song/mix.ts";
import { type Peaks, reach } from "../song/peaks.ts";
import { type LaneBands, type Layout, laneBands } from "./layout.ts";
import { type Beat, lowerBound, rulerBars, timeToX, type Window } from "./window.ts";

export type Canvas2D = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** All that the screen depends on, but for the time. */
export interface Scene {
  readonly song: Song;
  readonly peaks: ReadonlyMap<string, Peaks>;
  readonly mixPeaks: Peaks | null;
  /** What makes the loudest stem fill its lane. */
  readonly scale: number;
  readonly mix: Mix;
  readonly window: Window;
  readonly loop: Stretch | null;
  readonly looping: boolean;
  readonly notes: boolean;
  readonly layout: Layout;
  readonly width: number;
  readonly height: number;
}

const INK = "#F4F3EF";
const SCREEN = "#0A0B0C";
const OUTLINE = "#8A8D92";
const STEP = 1.5;
const DRUM_ROWS: Readonly<Record<string, readonly [row: number, size: number]>> = {
  kick: [2, 11],
  snare: [1, 9],
  tom: [1, 7],
  closed_hat: [0, 4.5],
  open_hat: [0, 6],
  crash: [0, 7],
  ride: [0, 5],
};

const paths = new Map<Body, Path2D>();
function stamp(g: Canvas2D, body: Body, x: number, y: number, size: number): void {
  let path = paths.get(body);
  if (!path) {
    path = new Path2D(BODIES[body].path);
    paths.set(body, path);
  }
  g.save();
  g.translate(x, y);
  g.scale(size / 24, size / 24);
  g.translate(-12, body === "other" ? -14 : -12);
  g.fill(path, "evenodd");
  g.restore();
}

/** Grid, notes and hits: what lies behind the waves and does not move. */
export function paintBack(g: Canvas2D, scene: Scene): void {
  const { song, layout, width, height } = scene;
  g.fillStyle = SCREEN;
  g.fillRect(0, 0, width, height);
  paintOverview(g, scene);
  g.fillStyle = "#15171A";
  g.fillRect(0, layout.overview, width, layout.ruler);
  const beats = song.analysis?.beats ?? [];
  g.fillStyle = "#B2B5BA";
  g.font = "600 12px Archivo, system-ui, sans-serif";
  for (const { x, bar } of rulerBars({ beats, window: scene.window, width }))
    g.fillText(String(bar), x + 6, layout.top - 7);
  song.stems.forEach((stem, place) => {
    const bands = laneBands(layout, place, scene.notes);
    g.fillStyle = place % 2 ? SCREEN : "#0D0E10";
    g.fillRect(0, bands.y, width, layout.lane);
    g.fillStyle = "#2A2D32";
    g.fillRect(0, bands.y, width, 1);
    paintGrid(g, scene, beats, bands);
    if (bands.notesHeight > 0) paintEvents(g, scene, stem, bands);
  });
}

function paintGrid(g: Canvas2D, { window, width, layout }: Scene, beats: readonly Beat[], { y }: LaneBands): void {
  const end = lowerBound(beats, window.start + window.length);
  const crowded = (end - lowerBound(beats, window.start)) * 6 > width;
  for (let at = lowerBound(beats, window.start); at < end; at++) {
    const { t, beat } = beats[at] as Beat;
    if (crowded && beat !== 1) continue;
    g.fillStyle = beat === 1 ? "#33363C" : "#1B1D21";
    g.fillRect(Math.round(timeToX(t, window, width)), y + 1, 1, layout.lane - 1);
  }
}

function paintOverview(g: Canvas2D, scene: Scene): void {
  const { mixPeaks, song, width, window, layout } = scene;
  const place = overviewOf(song.duration, width);
  const scale = mixPeaks ? 1 / Math.max(0.05, reach(mixPeaks, 0, song.duration)) : 0;
  const draw = (color: string) => {
    g.fillStyle = color;
    if (!mixPeaks) return paintMarks(g, scene, place.x);
    for (let x = 8; x < width - 8; x += STEP) {
      const half = Math.max(0.5, reach(mixPeaks, place.time(x), place.time(x + STEP)) * scale * layout.overview * 0.36);
      g.fillRect(x, layout.overview / 2 - half, STEP, 2 * half);
    }
  };
  draw("#4B5057");
  const [left, right] = [place.x(window.start), place.x(window.start + window.length)];
  g.save();
  g.beginPath();
  g.rect(left, 0, right - left, layout.overview);
  g.clip();
  draw(INK);
  g.restore();
  g.strokeStyle = INK;
  g.lineWidth = 1.5;
  g.beginPath();
  g.roundRect(left, 4, Math.max(6, right - left), layout.overview - 8, 4);
  g.stroke();
}

/** What a song without sound has in the overview: its notes and hits, a row for each stem. */
function paintMarks(g: Canvas2D, { song, layout }: Scene, x: (seconds: number) => number): void {
  const row = (layout.overview - 16) / Math.max(1, song.stems.length);
  song.stems.forEach((stem, place) => {
    const { notes, hits } = song.analysis?.stems[stem] ?? {};
    for (const { t, d } of notes?.map(({ t, d }) => ({ t, d })) ?? hits?.map(({ t }) => ({ t, d: 0 })) ?? [])
      g.fillRect(x(t), 8 + row * (place + 0.5) - 1, Math.max(1.5, x(t + d) - x(t) - 1), 2);
  });
}

/** Times and places of the overview, which shows the whole song. */
export function overviewOf(duration: number, width: number) {
  return {
    x: (seconds: number) => 8 + (seconds / duration) * (width - 16),
    time: (x: number) => ((x - 8) / (width - 16)) * duration,
  };
}

/** The waves of the lanes that are heard, each in its colour. */
export function paintWaves(g: Canvas2D, scene: Scene): void {
  const { song, peaks, mix, window, width, layout } = scene;
  song.stems.forEach((stem, place) => {
    const outline = peaks.get(stem);
    if (!outline) return;
    const { middle, half } = laneBands(layout, place, scene.notes);
    const heard = isHeard(mix, stem);
    const factor = heard ? Math.min(1.35, factorOf(mix, stem)) : 0.6;
    const points: number[] = [];
    for (let x = 0; x <= width; x += heard ? STEP : 2) {
      const from = window.start + (x / width) * window.length;
      const to = window.start + ((x + STEP) / width) * window.length;
      points.push(x, Math.min(half, Math.max(0.6, reach(outline, from, to) * scene.scale * half * factor)));
    }
    g.beginPath();
    for (let at = 0; at < points.length; at += 2) g.lineTo(points[at] ?? 0, middle - (points[at + 1] ?? 0));
    for (let at = points.length - 2; at >= 0; at -= 2) g.lineTo(points[at] ?? 0, middle + (points[at + 1] ?? 0));
    g.closePath();
    if (heard) {
      g.fillStyle = BODIES[bodyOf(stem)].color;
      g.fill();
    } else {
      g.strokeStyle = OUTLINE;
      g.lineWidth = 1.25;
      g.stroke();
    }
  });
}

interface Range {
  readonly low: number;
  readonly high: number;
}

const ranges = new WeakMap<readonly unknown[], Range>();
function rangeOf(notes: readonly { readonly p: number }[]): Range {
  const known = ranges.get(notes);
  if (known) return known;
  const sorted = notes.map(({ p }) => p).sort((a, b) => a - b);
  const range = { low: (sorted[0] ?? 60) - 1, high: Math.max((sorted.at(-1) ?? 72) + 1, (sorted[0] ?? 60) + 6) };
  ranges.set(notes, range);
  return range;
}

/** Notes and hits of a stem. Give `sounding` to have those alone that sound then, in white. */
function paintEvents(g: Canvas2D, scene: Scene, stem: string, bands: LaneBands, sounding?: number): void {
  const { song, mix, window, width, layout } = scene;
  const track = song.analysis?.stems[stem];
  if (!track) return;
  const body = bodyOf(stem);
  const heard = isHeard(mix, stem);
  const scale = layout.head ? 0.82 : 1;
  const end = window.start + window.length;
  g.fillStyle = sounding === undefined ? (heard ? BODIES[body].color : OUTLINE) : "#FFF";
  if (track.hits) {
    const from = sounding === undefined ? window.start - 0.1 : sounding - 0.1;
    for (let at = lowerBound(track.hits, from); at < track.hits.length; at++) {
      const hit = track.hits[at];
      if (!hit || hit.t > (sounding ?? end)) break;
      const [row, size] = DRUM_ROWS[hit.drum] ?? [0, 4.5];
      g.globalAlpha = sounding === undefined ? 0.55 + 0.45 * hit.v : 1;
      stamp(g, "drums", timeToX(hit.t, window, width), bands.notes + bands.notesHeight * row * 0.48, size * scale);
    }
  } else if (track.notes) {
    const { low, high } = rangeOf(track.notes);
    // A note may be long: look back a while for one that still lasts.
    for (let at = lowerBound(track.notes, (sounding ?? window.start) - 20); at < track.notes.length; at++) {
      const note = track.notes[at];
      if (!note || note.t > (sounding ?? end)) break;
      if (note.t + note.d < (sounding ?? window.start)) continue;
      const [x, x2] = [timeToX(note.t, window, width), timeToX(note.t + note.d, window, width)];
      const y = bands.notes + bands.notesHeight * (1 - (note.p - low) / (high - low));
      g.globalAlpha = sounding === undefined ? 0.55 + 0.45 * note.v : 1;
      g.fillRect(x, y - 2, Math.max(3, x2 - x - 2), 4);
      stamp(g, body, x + 3, y - (body === "bass" ? 2 : 0), 11 * scale);
    }
  }
  g.globalAlpha = 1;
}

/** What moves: the pipe, and what sounds under it. */
export function paintNow(g: Canvas2D, scene: Scene, now: number): void {
  const { song, layout, window, width, height } = scene;
  song.stems.forEach((stem, place) => {
    const bands = laneBands(layout, place, scene.notes);
    if (bands.notesHeight > 0 && isHeard(scene.mix, stem)) paintEvents(g, scene, stem, bands, now);
  });
  paintLoop(g, scene);
  const x = timeToX(now, window, width);
  const light = g.createLinearGradient(x - 26, 0, x, 0);
  light.addColorStop(0, "#FFFFFF00");
  light.addColorStop(1, "#FFFFFF30");
  g.fillStyle = light;
  g.fillRect(x - 26, layout.top, 26, height - layout.top);
  g.fillStyle = "#FFF";
  g.fillRect(x - 1.5, layout.overview, 3, height - layout.overview);
  g.beginPath();
  g.roundRect(x - 5, layout.overview + 3, 10, layout.ruler - 6, 2);
  g.fill();
  g.fillRect(overviewOf(song.duration, width).x(now) - 1, 0, 2, layout.overview);
}

function paintLoop(g: Canvas2D, { loop, looping, layout, window, width, height }: Scene): void {
  if (!loop) return;
  const [left, right] = [timeToX(loop.start, window, width), timeToX(loop.end, window, width)];
  g.fillStyle = looping ? INK : OUTLINE;
  g.fillRect(left, layout.overview, right - left, looping ? 6 : 2);
  for (const [x, way] of [
    [left, 1],
    [right, -1],
  ] as const) {
    g.beginPath();
    g.moveTo(x, layout.overview);
    g.lineTo(x + way * 10, layout.overview);
    g.lineTo(x, layout.overview + 15);
    g.fill();
  }
  if (!looping) return;
  g.fillStyle = "#0A0B0C8C";
  g.fillRect(0, layout.top, Math.max(0, left), height - layout.top);
  g.fillRect(right, layout.top, Math.max(0, width - right), height - layout.top);
  g.fillStyle = "#F4F3EF66";
  g.fillRect(left, layout.top, 1, height);
  g.fillRect(right, layout.top, 1, height);
}
