// Which scene is on, what drives it, and the presets that somebody has kept in this browser.

import { computed, effect, signal } from "@preact/signals";
import { sceneOf } from "../../scenes/all.ts";
import { PRESETS, type Preset, readPreset, writePreset } from "../../scenes/presets.ts";
import type { Bindings } from "../../scenes/show.ts";

const KEY = "stempipe.presets";
const SCENE_KEY = "stempipe.scene";
const MOST = 50;

/** What the tab's own memory gives; null in a browser that has none. */
function session<Found>(ask: () => Found): Found | null {
  try {
    return ask();
  } catch {
    return null;
  }
}

/** What is kept, as far as it can still be read. */
function stored(): Preset[] {
  try {
    const texts: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    if (!Array.isArray(texts)) return [];
    return texts.flatMap((text) => {
      const read = readPreset(String(text));
      return "preset" in read ? [read.preset] : [];
    });
  } catch {
    return [];
  }
}

export const own = signal<readonly Preset[]>(stored());
/** The one that is on; a tab that is loaded again goes on with it, as each time that whoever writes one saves it. */
export const scene = signal(sceneOf(session(() => sessionStorage.getItem(SCENE_KEY)) ?? ""));
effect(() => {
  const { id } = scene.value;
  session(() => sessionStorage.setItem(SCENE_KEY, id));
});
/** The preset that was chosen, and what was bound since. */
export const chosen = signal<Preset>(PRESETS[0] as Preset);
const changed = signal<Readonly<Record<string, Bindings>>>({});

export const isChanged = computed(() => Object.keys(changed.value).length > 0);

/** What drives the scene that is on. */
export const bindings = computed((): Bindings => bindingsOf(scene.value.id));

/** What drives a scene. */
export function bindingsOf(id: string): Bindings {
  return changed.value[id] ?? chosen.value.scenes[id] ?? {};
}

export function bind(to: Bindings): void {
  changed.value = { ...changed.peek(), [scene.peek().id]: to };
}

export function choose(preset: Preset): void {
  chosen.value = preset;
  changed.value = {};
  if (preset.scene) scene.value = sceneOf(preset.scene);
}

/** Keep what is bound now under a name; one of the same name is replaced. */
export function keep(name: string): void {
  const preset: Preset = {
    name: name.trim().slice(0, 60),
    scene: scene.peek().id,
    scenes: { ...chosen.peek().scenes, ...changed.peek() },
  };
  add(preset);
}

export function forget(name: string): void {
  own.value = own.peek().filter((preset) => preset.name !== name);
  store();
  if (chosen.peek().name === name) choose(PRESETS[0] as Preset);
}

/** The preset as it is now, as a file. */
export function asFile(): { readonly name: string; readonly text: string } {
  const { name, scenes } = chosen.peek();
  const text = writePreset({ name, scene: scene.peek().id, scenes: { ...scenes, ...changed.peek() } });
  return { name: `${name}.json`, text };
}

/** Take a preset out of a file; gives why not, in words, or null. */
export function fromFile(text: string): string | null {
  const read = readPreset(text);
  if ("refused" in read) return read.refused;
  add(read.preset);
  return null;
}

/** Take a preset in. The names of those that are always there stay theirs. */
/** Have what a preset says, and keep nothing of it; nothing where it is none. */
export function lend(text: string | null): void {
  const read = readPreset(text ?? "");
  if ("preset" in read) choose(read.preset);
}

function add(given: Preset): void {
  const isTaken = PRESETS.some(({ name }) => name === given.name);
  const preset = isTaken ? { ...given, name: `My ${given.name}` } : given;
  own.value = [...own.peek().filter(({ name }) => name !== preset.name), preset].slice(-MOST);
  store();
  choose(preset);
}

function store(): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(own.peek().map(writePreset)));
  } catch {
    // a browser that keeps nothing still has it until the page is closed
  }
}
