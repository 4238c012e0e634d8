// What a person has chosen for this browser: theme, keys, flashes, motion. Kept here, sent nowhere.

import { computed, effect, signal } from "@preact/signals";

export interface Settings {
  /** "system" follows the browser. */
  theme: "system" | "dark" | "light";
  /** Whether single keys do anything; off for those who dictate. */
  keys: boolean;
  /** Whether flashes are held to three a second. */
  limiter: boolean;
  motion: "system" | "still";
  /** Whether the browser tells when a song is done; null until it is asked. */
  notify: boolean | null;
}

const DEFAULTS: Settings = { theme: "system", keys: true, limiter: true, motion: "system", notify: null };
const KEY = "stempipe.settings";

function stored(): Settings {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { ...DEFAULTS, ...(typeof kept === "object" ? kept : {}) };
  } catch {
    return DEFAULTS;
  }
}

export const settings = signal<Settings>(stored());

/** Change some of them. */
export function set(change: Partial<Settings>): void {
  settings.value = { ...settings.peek(), ...change };
}

const asked = (query: string) => {
  const list = matchMedia(query);
  const matches = signal(list.matches);
  list.addEventListener("change", () => {
    matches.value = list.matches;
  });
  return matches;
};

const prefersLight = asked("(prefers-color-scheme: light)");
const prefersStill = asked("(prefers-reduced-motion: reduce)");

export const theme = computed(() => {
  const { theme } = settings.value;
  if (theme === "system") return prefersLight.value ? "light" : "dark";
  return theme;
});

/** Whether less is to move. */
export const still = computed(() => settings.value.motion === "still" || prefersStill.value);

export const narrow = asked("(max-width: 640px)");
export const wide = asked("(min-width: 1100px)");
/** Too low for all of the shelf. */
export const low = asked("(max-height: 760px)");

/** Show the settings on the document, and keep them. */
export function applySettings(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    document.documentElement.dataset.motion = still.value ? "still" : "full";
    try {
      localStorage.setItem(KEY, JSON.stringify(settings.value));
    } catch {
      // a browser that keeps nothing still shows them
    }
  });
}
