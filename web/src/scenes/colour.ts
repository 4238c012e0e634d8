// Colours as numbers, 0xRRGGBB, because a picture mixes thousands of them.

import { BODIES, type Body } from "../bodies.ts";

export type Colour = number;

export const BLACK: Colour = 0x000000;
export const WHITE: Colour = 0xffffff;
export const INK: Colour = 0xf4f3ef;
export const SCREEN: Colour = 0x0a0b0c;

const LIGHTS = Object.fromEntries(
  Object.entries(BODIES).map(([body, { color }]) => [body, Number.parseInt(color.slice(1), 16)]),
) as Record<Body, Colour>;

/** The colour of a body's light. */
export function lightOf(body: Body): Colour {
  return LIGHTS[body];
}

/** From one colour, at 0, to another, at 1. */
export function mix(from: Colour, to: Colour, share: number): Colour {
  const k = clamp(share);
  const red = (from >> 16) + ((to >> 16) - (from >> 16)) * k;
  const green = ((from >> 8) & 255) + (((to >> 8) & 255) - ((from >> 8) & 255)) * k;
  const blue = (from & 255) + ((to & 255) - (from & 255)) * k;
  return (Math.round(red) << 16) | (Math.round(green) << 8) | Math.round(blue);
}

/** As CSS has it. */
export function css(colour: Colour, alpha = 1): string {
  const rgb = `#${(colour + 0x1000000).toString(16).slice(1)}`;
  if (alpha >= 1) return rgb;
  return rgb + (Math.round(clamp(alpha) * 255) + 0x100).toString(16).slice(1);
}

export function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
