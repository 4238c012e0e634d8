// What keys do to a song that is open, in the mixer and on stage alike.

import type { KeyMap } from "../keys.ts";
import { stepped } from "../mixer/window.ts";
import type { Console } from "./console.ts";

export function songKeys(console: Console): KeyMap {
  const beats = console.opened.song.analysis?.beats ?? [];
  const step = (steps: number, bars: boolean) => () =>
    console.seek(stepped({ beats, seconds: console.now(), steps, bars }));
  const stems = Object.fromEntries(
    console.stems.slice(0, 9).flatMap((stem, place) => [
      [`Digit${place + 1}`, () => console.mute(stem)],
      [`Shift+Digit${place + 1}`, () => console.solo(stem)],
    ]),
  );
  return {
    ...stems,
    Space: () => void console.toggle(),
    ArrowLeft: step(-1, false),
    ArrowRight: step(1, false),
    "Shift+ArrowLeft": step(-1, true),
    "Shift+ArrowRight": step(1, true),
    Home: () => console.seek(0),
    End: () => console.seek(console.duration),
  };
}
