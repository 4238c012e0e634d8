// The scenes, in the order of their keys.

import { balance } from "./balance.ts";
import { floor } from "./floor.ts";
import { loom } from "./loom.ts";
import { rig } from "./rig.ts";
import { roll } from "./roll.ts";
import type { Scene } from "./scene.ts";
import { split } from "./split.ts";

export const SCENES: readonly Scene[] = [split, rig, roll, floor, balance, loom];

/** The scene of an id; the first one if there is none. */
export function sceneOf(id: string): Scene {
  return SCENES.find((scene) => scene.id === id) ?? split;
}
