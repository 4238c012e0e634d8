// What several scenes draw with: the five shapes, light, and chance that is the same every time.

import { BODIES, type Body } from "../bodies.ts";
import type { Input } from "../signals/signal.ts";
import { type Colour, clamp, css } from "./colour.ts";
import type { Canvas } from "./scene.ts";

const PATHS = new Map<Body, Path2D>();
// The middle of each shape, in its square of 24: a half-disc's and a triangle's weight is low.
const MIDDLES: Partial<Record<Body, number>> = { bass: 12.2, other: 14 };

/** Draw a body's shape, `size` high, about a point. */
export function stamp(g: Canvas, body: Body, x: number, y: number, size: number, fill: string, rotation = 0): void {
  g.save();
  g.translate(x, y);
  if (rotation) g.rotate(rotation);
  g.scale(size / 24, size / 24);
  g.translate(-12, -(MIDDLES[body] ?? 12));
  g.fillStyle = fill;
  g.fill(pathOf(body), "evenodd");
  g.restore();
}

/** Light that spreads from a point and fades out at `radius`. */
export function glow(g: Canvas, x: number, y: number, radius: number, colour: Colour, alpha: number, core = 1): void {
  if (alpha <= 0.004 || radius <= 0) return;
  const light = g.createRadialGradient(x, y, 0, x, y, radius);
  light.addColorStop(0, css(colour, alpha));
  light.addColorStop(0.3, css(colour, alpha * 0.37 * core));
  light.addColorStop(1, css(colour, 0));
  g.fillStyle = light;
  g.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
}

/** A gradient from one point to another. */
export function ramp(
  g: Canvas,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
  stops: readonly (readonly [number, string])[],
): CanvasGradient {
  const gradient = g.createLinearGradient(x0, y0, x1, y1);
  for (const [at, colour] of stops) gradient.addColorStop(at, colour);
  return gradient;
}

/** Fill the shape between points. */
export function polygon(g: Canvas, points: readonly number[], fill: string | CanvasGradient): void {
  g.fillStyle = fill;
  g.beginPath();
  g.moveTo(points[0] ?? 0, points[1] ?? 0);
  for (let index = 2; index < points.length; index += 2) g.lineTo(points[index] ?? 0, points[index + 1] ?? 0);
  g.closePath();
  g.fill();
}

const SCRATCH = new Map<string, OffscreenCanvasRenderingContext2D>();
const MOST_SCRATCH = 8; // the stage's, and those of its small pictures

/** An empty canvas beside the picture, the same one for the same size: making one for each frame is dear. */
export function scratch(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const key = `${width} x ${height}`;
  const known = SCRATCH.get(key);
  if (known) {
    known.reset();
    return known;
  }
  const made = new OffscreenCanvas(width, height).getContext("2d");
  if (!made) throw new Error("This browser gives no canvas.");
  const oldest = SCRATCH.keys().next();
  if (SCRATCH.size >= MOST_SCRATCH && !oldest.done) SCRATCH.delete(oldest.value);
  SCRATCH.set(key, made);
  return made;
}

/** A number from 0 to 1 for a pair of whole numbers: chance that is the same every time. */
export function hash(i: number, j = 0): number {
  let x = Math.imul((Math.imul(i, 374761393) + Math.imul(j, 668265263)) | 0, 1274126177);
  x ^= x >>> 13;
  x = Math.imul(x, 1103515245);
  x ^= x >>> 16;
  return (x >>> 0) / 4294967296;
}

/** From 0 at `from` to 1 at `to`, softly. */
export function smooth(from: number, to: number, value: number): number {
  const share = clamp((value - from) / (to - from));
  return share * share * (3 - 2 * share);
}

/** How high a signal is: a pitch within the song's, else its value; null where there is none. */
export function height(input: Input, seconds: number): number | null {
  if (!input.pitched) return input.empty ? null : input.value(seconds);
  const pitch = input.pitch(seconds);
  return pitch === null ? null : clamp((pitch - input.range[0]) / (input.range[1] - input.range[0]));
}

/** What a signal was of late: the mean of its last `length` seconds, those just gone weighing most. */
export function lately(input: Input, seconds: number, length: number, steps = 24): number {
  let sum = 0;
  let weights = 0;
  for (let step = 0; step < steps; step++) {
    const weight = Math.exp((-2.7 * step) / steps);
    sum += weight * input.value(seconds - (step * length) / steps);
    weights += weight;
  }
  return sum / weights;
}

function pathOf(body: Body): Path2D {
  const path = PATHS.get(body) ?? new Path2D(BODIES[body].path);
  PATHS.set(body, path);
  return path;
}
