// Split: the song arrives as one grey wave, meets the pipe, and parts into streams of light that its notes ride.

import { BODIES } from "../bodies.ts";
import type { Happening, Input } from "../signals/signal.ts";
import { clamp, css, INK, lightOf, mix, SCREEN, WHITE } from "./colour.ts";
import { glow, hash, height, ramp, smooth, stamp } from "./drawing.ts";
import type { Canvas, Frame, Scene } from "./scene.ts";

const STREAMS = ["first", "second", "third", "fourth"];
const PIPE = 0.6; // share of the width
const STEP = 3; // pixels from one point of a stream to the next

export const split: Scene = {
  id: "split",
  name: "Split",
  about: "A river that parts",
  slots: [
    { id: "first", name: "First stream", kind: "curve", signal: "drums.rms" },
    { id: "second", name: "Second stream", kind: "curve", signal: "vocals.rms" },
    { id: "third", name: "Third stream", kind: "curve", signal: "other.rms" },
    { id: "fourth", name: "Fourth stream", kind: "curve", signal: "bass.rms" },
    { id: "bend", name: "Bend", kind: "curve", signal: "vocals.pitch" },
    { id: "leap", name: "Leap", kind: "events", signal: "drums.hits" },
    { id: "riders", name: "Riders", kind: "events", signal: "song.notes" },
    { id: "glow", name: "Glow of the pipe", kind: "curve", signal: "drums.kick", otherwise: "song.beats", flash: true },
  ],
  draw(g, frame) {
    const river = flow(frame);
    if (!frame.transparent) ground(g, frame, river);
    song(g, frame, river);
    g.save();
    g.beginPath();
    g.rect(0, 0, river.pipe, frame.height);
    g.clip();
    for (let lane = 0; lane < STREAMS.length; lane++) stream(g, frame, river, lane);
    bodies(g, frame, river);
    g.restore();
    pipe(g, frame, river);
  },
};

interface River {
  readonly pipe: number;
  readonly middle: number;
  readonly high: number;
  readonly unit: number;
  readonly speed: number;
  readonly streams: readonly Input[];
  readonly bent: number;
}

function flow(frame: Frame): River {
  const { width, height: all, inset } = frame;
  const high = all * (1 - inset);
  const streams = STREAMS.map((slot) => frame.input(slot));
  const bend = frame.input("bend");
  const own = streams.findIndex(({ body }) => body === bend.body);
  return {
    pipe: PIPE * width,
    middle: high / 2,
    high,
    unit: Math.min(high, width * 1.15),
    // Where little is to move, more of the song is seen at a time, and passes more slowly.
    speed: Math.min(width, high * 1.6) / (frame.still ? 9.2 : 4.6),
    streams,
    bent: own < 0 ? 1 : own,
  };
}

function ground(g: Canvas, { width, height }: Frame, { pipe, middle, high }: River): void {
  g.fillStyle = css(SCREEN);
  g.fillRect(0, 0, width, height);
  const light = g.createRadialGradient(pipe, middle, 0, pipe, middle, high * 0.75);
  light.addColorStop(0, "#2a2b2e");
  light.addColorStop(0.25, "#15161a");
  light.addColorStop(1, css(SCREEN, 0));
  g.fillStyle = light;
  g.fillRect(0, 0, width, height);
}

/** The song, on its way to the pipe: what all streams will be. */
function song(g: Canvas, { width, time }: Frame, { pipe, middle, high, speed, streams }: River): void {
  const heard = streams.filter((input) => !input.empty);
  const upper: number[] = [];
  for (let x = pipe + 3; x <= width + STEP; x += STEP) {
    const at = time + (x - pipe) / speed;
    let level = 0;
    for (const input of heard) level += input.value(at);
    level = heard.length ? level / heard.length : 0;
    const rough = 0.7 + 0.3 * hash(Math.floor(at * 150), 7);
    upper.push(x, 1.2 + 0.085 * high * level * rough);
  }
  g.fillStyle = ramp(
    g,
    [pipe, 0, width, 0],
    [
      [0, css(INK)],
      [0.15, "#a4a7ac"],
      [1, "#4a4d53"],
    ],
  );
  band(g, upper, middle, middle, 1, 1);
}

function stream(g: Canvas, frame: Frame, river: River, lane: number): void {
  const input = river.streams[lane] as Input;
  if (input.empty) return;
  const { pipe, high, speed } = river;
  const flat = input.body === "bass";
  const points: number[] = [];
  const middles: number[] = [];
  for (let x = 0; x <= pipe; x += STEP) {
    const at = frame.time + (x - pipe) / speed;
    const apart = parting(x, frame, river);
    const rough = flat ? 0.92 : 0.6 + 0.4 * hash(Math.floor(at * 150), lane);
    points.push(x, 1.5 + (0.05 + 0.035 * apart) * high * 0.8 * input.value(at) * rough * (0.3 + 0.7 * apart));
    middles.push(bed(x, lane, frame, river) - bendAt(at, lane, frame, river) * apart);
  }
  const colour = lightOf(input.body);
  g.globalCompositeOperation = "lighter";
  for (const [swell, ...alphas] of [
    [2.1, 0.02, 0.06, 0.16],
    [1, 0.42, 0.62, 0.95],
  ] as const) {
    const [far, near, close] = alphas;
    g.fillStyle = ramp(
      g,
      [0, 0, pipe, 0],
      [
        [0, css(colour, far)],
        [0.75, css(colour, near)],
        [1, css(colour, close)],
      ],
    );
    band(g, points, middles, middles, swell * (flat ? 1.15 : 1), flat ? 0 : swell);
  }
  g.globalCompositeOperation = "source-over";
}

/** Fill between a line above and one below the middles; `points` are pairs of x and how far. */
function band(
  g: Canvas,
  points: readonly number[],
  above: number | readonly number[],
  below: number | readonly number[],
  up: number,
  down: number,
): void {
  const middle = (of: number | readonly number[], index: number) => (typeof of === "number" ? of : (of[index] ?? 0));
  g.beginPath();
  for (let index = 0; index < points.length; index += 2) {
    g.lineTo(points[index] ?? 0, middle(above, index / 2) - up * (points[index + 1] ?? 0));
  }
  for (let index = points.length - 2; index >= 0; index -= 2) {
    g.lineTo(points[index] ?? 0, middle(below, index / 2) + (down ? down * (points[index + 1] ?? 0) : 2));
  }
  g.fill();
}

/** How far the streams have come apart at a place, from 0 at the pipe to 1. */
function parting(x: number, { width }: Frame, { pipe }: River): number {
  return smooth(0, 1, (pipe - x) / (width * 0.23));
}

/** Where a stream's bed is. */
function bed(x: number, lane: number, frame: Frame, river: River): number {
  return river.middle + (lane - 1.5) * 0.205 * river.high * parting(x, frame, river);
}

/** How far up a stream is bent, in pixels. */
function bendAt(seconds: number, lane: number, frame: Frame, { bent, unit }: River): number {
  if (lane !== bent) return 0;
  const bend = frame.input("bend");
  let sum = 0;
  for (let step = -3; step <= 3; step++) {
    const at = height(bend, seconds + step * 0.05);
    if (at !== null) sum += at - 0.5;
  }
  return (sum / 7) * unit * 0.11;
}

function bodies(g: Canvas, frame: Frame, river: River): void {
  const { time } = frame;
  const span = river.pipe / river.speed + 0.2;
  const leap = frame.input("leap");
  const hitLane = Math.max(
    0,
    river.streams.findIndex(({ body }) => body === leap.body),
  );
  for (const hit of leap.events(time - span, time)) {
    const [size, rise] = leapOf(hit.kind);
    rider(g, frame, river, hit, { input: leap, lane: hitLane, size, rise: rise * river.high });
  }
  const riders = frame.input("riders");
  for (const note of riders.events(time - span, time)) {
    const body = Object.hasOwn(BODIES, note.kind) ? note.kind : riders.body;
    const lane = river.streams.findIndex((input) => input.body === body && !input.empty);
    if (lane < 0 && body !== "song") continue;
    const input = river.streams[lane < 0 ? 2 : lane] as Input;
    const bent = lane === river.bent ? bendAt(note.t + Math.min(0.1, note.d / 2), lane, frame, river) : 0;
    const share = note.note === null ? 0.5 : (note.note - riders.range[0]) / (riders.range[1] - riders.range[0]);
    const rise = body === "bass" ? 0.012 * river.high : lane === river.bent ? bent : (share - 0.5) * river.unit * 0.1;
    const size = body === "bass" ? 40 : body === "vocals" ? 32 : 26;
    rider(g, frame, river, note, { input, lane: Math.max(lane, 0), size: size * (0.6 + 0.5 * note.v), rise });
  }
}

/** How large a drum's square is, and how far from its stream it leaps, as shares of the height. */
function leapOf(kind: string): readonly [number, number] {
  if (kind === "snare") return [42, 0.052];
  if (kind === "kick" || kind === "tom" || kind === "") return [58, 0];
  return [14, -0.058];
}

interface Ride {
  readonly input: Input;
  readonly lane: number;
  readonly size: number;
  /** In pixels. */
  readonly rise: number;
}

/** One event that left the pipe at its time and is carried away since. */
function rider(g: Canvas, frame: Frame, river: River, event: Happening, { input, lane, size, rise }: Ride): void {
  const age = frame.time - event.t;
  const x = river.pipe - age * river.speed;
  if (age < 0 || x < -60 || x > river.pipe - 5) return;
  const apart = parting(x, frame, river);
  const pop = frame.still ? 1 : 1 + Math.exp(-age * 5);
  const side = size * (0.25 + 0.75 * apart) * pop * (0.55 + 0.45 * event.v) * 1.25 * (river.unit / 900);
  const y = bed(x, lane, frame, river) - rise * apart;
  const colour = lightOf(input.body);
  const shine = Math.min(1, age * 8) * Math.exp(-age * 0.9);
  if (side > 9) glow(g, x, y, side * 1.5, colour, 0.7 * shine);
  const fresh = mix(colour, WHITE, 0.12 + 0.6 * Math.exp(-age * 4));
  const faint = (0.78 + (0.22 * x) / river.pipe) * Math.min(1, age * 8) + 0.12;
  stamp(g, input.body, x, y, side, css(mix(SCREEN, fresh, clamp(faint))));
}

function pipe(g: Canvas, frame: Frame, { pipe: x, middle, high }: River): void {
  const { width, height } = frame;
  const light = 0.5 + 0.5 * frame.input("glow").value(frame.time);
  g.globalCompositeOperation = "lighter";
  for (const [across, along, alpha] of [
    [0.03, 0.62, 0.34],
    [0.075, 0.34, 0.22],
  ] as const) {
    const [rx, ry] = [width * across, high * along];
    g.save();
    g.translate(x, middle);
    g.scale(rx / ry, 1);
    const gradient = g.createRadialGradient(0, 0, 0, 0, 0, ry);
    for (let step = 0; step <= 8; step++) {
      gradient.addColorStop(step / 8, css(WHITE, alpha * light * (1 - step / 8) ** 2.6));
    }
    g.fillStyle = gradient;
    g.fillRect(-ry, -ry, 2 * ry, 2 * ry);
    g.restore();
  }
  g.globalCompositeOperation = "source-over";
  const bright = 0.3 * (high / height);
  const centre = middle / height;
  g.fillStyle = ramp(
    g,
    [0, 0, 0, height],
    [
      [0, css(WHITE, 0.25)],
      [clamp(centre - bright), css(WHITE)],
      [clamp(centre + bright), css(WHITE)],
      [1, css(WHITE, frame.inset ? 0 : 0.25)],
    ],
  );
  const thick = Math.max(2, width / 480);
  g.fillRect(x - thick / 2, 0, thick, height);
  g.fillStyle = css(0);
}
