// Single keys that do things, by the place of the key and not by its letter. They are off where text is typed, where
// the focused control has the key for itself, and altogether if somebody wants that (WCAG 2.1.4). A control that was
// only clicked keeps no Space: whoever mixes with the mouse plays with it.

/** What keys do, by names such as "Space" or "Shift+Digit1". */
export type KeyMap = Readonly<Record<string, () => void>>;

/** What of a key press counts. */
export interface Press {
  readonly code: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly defaultPrevented: boolean;
}

/** What has the focus. */
export interface Focus {
  readonly tag: string;
  readonly type: string;
  readonly role: string;
  readonly editable: boolean;
  /** Whether the browser showed it when it came (`:focus-visible`), and nothing was clicked since. */
  readonly shown: boolean;
}

const TYPING = new Set(["text", "number", "search", "email", "password", "url", "tel"]);
const OF_CONTROLS = /^(Arrow|Home$|End$|Enter$|Page)/;
const ROLES = new Set(["radio", "option", "listbox", "tab", "menuitem"]);

/** The key's name, or null where it is none of ours. */
export function nameOf(press: Press, { tag, type, role, editable, shown }: Focus): string | null {
  if (press.defaultPrevented || press.ctrlKey || press.altKey || press.metaKey) return null;
  if (editable || tag === "TEXTAREA" || tag === "SELECT" || (tag === "INPUT" && TYPING.has(type))) return null;
  if (press.code === "Space") {
    const isPressed = tag === "BUTTON" || (tag === "INPUT" && type !== "range") || ROLES.has(role);
    if (shown && isPressed) return null;
  } else if (OF_CONTROLS.test(press.code)) {
    if (tag === "INPUT" || ROLES.has(role)) return null;
    if ((tag === "BUTTON" || tag === "A") && press.code === "Enter") return null;
  }
  return (press.shiftKey ? "Shift+" : "") + press.code;
}

/** All keys, for the sheet that lists them. */
export const KEYS: readonly (readonly [string, string])[] = [
  ["Space", "play, pause"],
  ["1–9", "mute a stem"],
  ["Shift 1–9", "hear a stem alone"],
  ["← →", "a beat back, on"],
  ["Shift ← →", "a bar back, on"],
  ["Home End", "to the start, the end"],
  ["[ ]", "loop from here, to here"],
  ["\\", "loop on, off"],
  ["- =", "zoom out, in"],
  ["0", "the whole song"],
  ["M S", "in a lane: mute, hear alone"],
  ["↑ ↓", "in a lane: louder, softer by 0.5 dB"],
  ["X", "in a lane: take it, leave it"],
  ["Q W E R T Y", "on stage: the scenes"],
  ["B", "on stage: bind a signal to the slot"],
  ["F H", "on stage: full screen, hide the shelf"],
  ["L", "new project: to the loadout"],
  ["?", "this list"],
];
