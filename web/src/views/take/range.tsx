// The stretch of the song that is taken: two handles over the outlines of its stems, by pointer or by arrow keys.

import { useCallback, useRef } from "preact/hooks";
import { BODIES, bodyOf } from "../../bodies.ts";
import { barWords, snapped, stepped } from "../mixer/window.ts";
import { Canvas } from "../parts/canvas.tsx";
import type { Console, Stretch } from "../song/console.ts";
import { reach } from "../song/peaks.ts";
import { clock, spoken } from "../words.ts";
import { movedEdge } from "./size.ts";

const INK = "#F4F3EF";
const STEP = 1.5;

interface Props {
  console: Console;
  range: Stretch;
  onChange: (range: Stretch) => void;
}

export function Range({ console, range, onChange }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const { duration, opened } = console;
  const beats = opened.song.analysis?.beats ?? [];
  const draw = useCallback(
    (g: CanvasRenderingContext2D, width: number, height: number) => {
      const [left, right] = [(range.start / duration) * width, (range.end / duration) * width];
      const loudest = Math.max(0.05, ...[...opened.peaks.values()].map((outline) => reach(outline, 0, duration)));
      const stems = console.stems.filter((stem) => opened.peaks.has(stem));
      stems.forEach((stem, place) => {
        const outline = opened.peaks.get(stem);
        if (!outline) return;
        const band = height / stems.length;
        for (let x = 0; x < width; x += STEP) {
          const half = Math.max(
            0.5,
            reach(outline, (x / width) * duration, ((x + STEP) / width) * duration) * (band / loudest) * 0.45,
          );
          g.fillStyle = x >= left && x < right ? BODIES[bodyOf(stem)].color : "#4B5057";
          g.fillRect(x, band * (place + 0.5) - half, STEP, 2 * half);
        }
      });
      g.fillStyle = INK;
      for (const x of [left, right]) g.fillRect(x - 1.5, 0, 3, height);
      g.fillRect(left, 0, right - left, 2);
      g.fillRect(left, height - 2, right - left, 2);
    },
    [range, console, opened, duration],
  );
  const move = (edge: "start" | "end", to: number) => onChange(movedEdge({ range, edge, to, duration }));
  const pointed = (edge: "start" | "end") => (event: PointerEvent) => {
    if (!(event.buttons & 1) || !box.current) return;
    const { left, width } = box.current.getBoundingClientRect();
    const to = ((event.clientX - left) / width) * duration;
    move(edge, to < 1 || to > duration - 1 ? to : snapped(beats, to, true));
  };
  const keyed = (edge: "start" | "end") => (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.code];
    if (event.code === "Home") move(edge, 0);
    else if (event.code === "End") move(edge, duration);
    else if (by) move(edge, stepped({ beats, seconds: range[edge], steps: by, bars: !event.shiftKey }));
    else return;
    event.preventDefault();
  };
  const bars = [barWords(beats, range.start), barWords(beats, range.end)];
  return (
    <>
      <div class="take-range" ref={box}>
        <Canvas draw={draw} aria-hidden="true" />
        {(["start", "end"] as const).map((edge) => (
          <span
            key={edge}
            class="take-handle"
            role="slider"
            tabIndex={0}
            aria-label={edge === "start" ? "From" : "To"}
            aria-valuemin={0}
            aria-valuemax={Math.round(duration)}
            aria-valuenow={Math.round(range[edge])}
            aria-valuetext={spoken(range[edge])}
            style={{ left: `${(range[edge] / duration) * 100}%` }}
            onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
            onPointerMove={pointed(edge)}
            onKeyDown={keyed(edge)}
          />
        ))}
      </div>
      <div class="row between sm">
        <span class="num">
          <b>
            {clock(range.start, 2)} to {clock(range.end, 2)}
          </b>{" "}
          {bars[1] && <span class="dim">{`bars ${bars[0]?.bar ?? 1} to ${bars[1].bar}, snapped to bars`}</span>}
        </span>
        <button type="button" class="key sml" onClick={() => onChange({ start: 0, end: duration })}>
          Whole song
        </button>
      </div>
    </>
  );
}
