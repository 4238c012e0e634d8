// How stems of one body are told apart.

import type { Fill } from "../parts/shape.tsx";

const FILLS: readonly Fill[] = ["full", "hollow", "half"];

/** How a stem's shape is drawn: the second of its role is hollow, the third half filled. */
export function fillOf(name: string): Fill {
  const number = Number(/[ _-](\d+)$/.exec(name)?.[1] ?? 1);
  return FILLS[Math.max(0, number - 1) % FILLS.length] ?? "full";
}
