// The mixer's screen: one canvas for all lanes, with one ruler and one pipe. It is a slider for those who hear it.

import type { ReadonlySignal, Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Scope } from "../../scope.ts";
import { narrow } from "../settings.ts";
import type { Console } from "../song/console.ts";
import { reach, together } from "../song/peaks.ts";
import { spoken } from "../words.ts";
import { layoutOf, partAt } from "./layout.ts";
import { overviewOf, paintBack, paintNow, paintWaves, type Scene } from "./paint.ts";
import { barWords, following, snapped, timeToX, type Window, within, xToTime, zoomed } from "./window.ts";

interface Props {
  console: Console;
  window: Signal<Window>;
  notes: ReadonlySignal<boolean>;
  /** Called for each picture, with the levels of the stems. */
  onLevels: (levels: readonly number[]) => void;
  /** The time that is read out; it need not be exact. */
  shown: number;
}

export function Screen({ console, window: seen, notes, onLevels, shown }: Props) {
  const element = useRef<HTMLCanvasElement>(null);
  const levels = useRef(onLevels);
  levels.current = onLevels;
  useEffect(() => {
    const canvas = element.current;
    const g = canvas?.getContext("2d");
    if (!canvas || !g) return;
    const scope = new Scope();
    const outlines = [...console.opened.peaks.values()];
    const mixPeaks = together(outlines);
    const loudest = Math.max(0.05, ...outlines.map((outline) => reach(outline, 0, console.duration)));
    const layers = { back: document.createElement("canvas"), waves: document.createElement("canvas") };
    let painted: Scene | null = null;
    let last = -1;
    const { duration } = console;
    let fonts = false;
    void document.fonts.ready.then(() => {
      fonts = true;
      painted = null;
    });
    const moving = { current: false };
    const sceneNow = (): Scene => {
      const { width, height } = canvas.getBoundingClientRect();
      return {
        song: console.opened.song,
        peaks: console.opened.peaks,
        mixPeaks,
        scale: 1 / loudest,
        mix: console.mix.value,
        window: seen.value,
        loop: console.loop.value,
        looping: console.looping.value,
        notes: notes.value,
        layout: layoutOf({ height, lanes: console.stems.length, narrow: narrow.value }),
        width,
        height,
      };
    };
    scope.frames(() => {
      const now = console.now();
      // What is played is shown, and where somebody has gone; a window moved by hand stays where it is.
      if (now !== last && !moving.current) seen.value = following(seen.value, now, duration);
      const scene = sceneNow();
      if (scene.width < 1 || scene.height < 1) return;
      const changed = painted === null || !same(painted, scene);
      levels.current(console.levels());
      if (!changed && now === last) return;
      const scale = Math.min(2, Math.max(1, devicePixelRatio || 1));
      if (changed) {
        for (const target of [canvas, layers.back, layers.waves]) resize(target, scene, scale);
        const [back, waves] = [layers.back.getContext("2d"), layers.waves.getContext("2d")];
        if (!back || !waves) return;
        back.setTransform(scale, 0, 0, scale, 0, 0);
        waves.setTransform(scale, 0, 0, scale, 0, 0);
        waves.clearRect(0, 0, scene.width, scene.height);
        paintBack(back, scene);
        paintWaves(waves, scene);
        painted = fonts ? scene : null;
      }
      last = now;
      g.setTransform(1, 0, 0, 1, 0, 0);
      g.drawImage(layers.back, 0, 0);
      const pipe = Math.round(Math.min(canvas.width, Math.max(0, timeToX(now, scene.window, scene.width) * scale)));
      if (pipe > 0) g.drawImage(layers.waves, 0, 0, pipe, canvas.height, 0, 0, pipe, canvas.height);
      g.globalAlpha = 0.62;
      if (pipe < canvas.width) {
        const rest = canvas.width - pipe;
        g.drawImage(layers.waves, pipe, 0, rest, canvas.height, pipe, 0, rest, canvas.height);
      }
      g.globalAlpha = 1;
      g.setTransform(scale, 0, 0, scale, 0, 0);
      paintNow(g, scene, now);
    });
    pointer({ canvas, scope, console, seen, moving });
    return () => scope.close();
  }, [console, seen, notes]);
  const beats = console.opened.song.analysis?.beats ?? [];
  const at = barWords(beats, shown);
  return (
    <canvas
      ref={element}
      class="desk-canvas"
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={0}
      aria-valuemax={Math.round(console.duration)}
      aria-valuenow={Math.round(shown)}
      aria-valuetext={spoken(shown) + (at ? `, bar ${at.bar}, beat ${at.beat}` : "")}
    />
  );
}

function resize(canvas: HTMLCanvasElement, { width, height }: Scene, scale: number): void {
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
}

const SAME: readonly (keyof Scene)[] = ["mix", "window", "loop", "looping", "notes", "width", "height"];
const same = (a: Scene, b: Scene) => SAME.every((key) => a[key] === b[key]) && a.layout.head === b.layout.head;

interface Pointed {
  canvas: HTMLCanvasElement;
  scope: Scope;
  console: Console;
  seen: Signal<Window>;
  /** Whether somebody moves the window by hand, so that it does not follow what is played. */
  moving: { current: boolean };
}

/** A click seeks; in the ruler a drag sets the loop, in the overview it moves the window; the wheel scrolls and zooms. */
function pointer({ canvas, scope, console, seen, moving }: Pointed): void {
  const { signal } = scope;
  const { duration } = console;
  const beats = console.opened.song.analysis?.beats ?? [];
  let drag: { part: "overview" | "ruler" | "lanes"; from: number; x: number } | null = null;
  const place = (event: PointerEvent | WheelEvent) => {
    const box = canvas.getBoundingClientRect();
    const layout = layoutOf({ height: box.height, lanes: console.stems.length, narrow: narrow.peek() });
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return { x, part: partAt(layout, y), width: box.width, time: xToTime(x, seen.peek(), box.width) };
  };
  const show = (seconds: number) => {
    const window = seen.peek();
    seen.value = within({ ...window, start: seconds - window.length / 2 }, duration);
  };
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      const { x, part, width, time } = place(event);
      canvas.setPointerCapture(event.pointerId);
      drag = { part, from: time, x };
      if (part === "overview") {
        moving.current = true;
        show(overviewOf(duration, width).time(x));
      } else if (part === "lanes") console.seek(time);
    },
    { signal },
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (!drag) return;
      const { x, width, time } = place(event);
      if (drag.part === "overview") show(overviewOf(duration, width).time(x));
      else if (drag.part === "lanes") console.seek(time);
      else if (Math.abs(x - drag.x) > 4) {
        const [a, b] = [snapped(beats, drag.from), snapped(beats, time)];
        if (a !== b) console.setLoop({ start: Math.min(a, b), end: Math.max(a, b) });
      }
    },
    { signal },
  );
  const end = (event: PointerEvent) => {
    const { x, time, width } = place(event);
    if (drag?.part === "ruler" && Math.abs(x - drag.x) <= 4) console.seek(time);
    if (drag?.part === "overview" && Math.abs(x - drag.x) <= 4) console.seek(overviewOf(duration, width).time(x));
    drag = null;
    moving.current = false;
  };
  canvas.addEventListener("pointerup", end, { signal });
  canvas.addEventListener("pointercancel", end, { signal });
  canvas.addEventListener(
    "wheel",
    (event) => {
      const { time, width } = place(event);
      const window = seen.peek();
      if (event.ctrlKey || event.metaKey)
        seen.value = zoomed({ window, factor: Math.exp(event.deltaY / 240), at: time, duration });
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
        const by = event.deltaX || event.deltaY;
        seen.value = within({ ...window, start: window.start + (by / width) * window.length }, duration);
      } else return;
      event.preventDefault();
    },
    { signal, passive: false },
  );
}
