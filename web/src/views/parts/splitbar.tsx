// The split bar: how far a job is. Right of the pipe one grey song, left of it the stems that it becomes.

import { useCallback } from "preact/hooks";
import { BODIES, type Body } from "../../bodies.ts";
import { Canvas } from "./canvas.tsx";
import { stripes } from "./splitbar.ts";

const INK = "#F4F3EF";
const REST = "#565B63";

interface Props {
  /** From 0 to 1. */
  share: number;
  bodies: readonly Body[];
  label: string;
  /** What a reader says of how far it is. */
  words: string;
}

export function SplitBar({ share, bodies, label, words }: Props) {
  const key = bodies.join(" ");
  const draw = useCallback(
    (g: CanvasRenderingContext2D, width: number, height: number) => {
      const { x, lines } = stripes({ width, height, share, count: key.split(" ").length });
      g.fillStyle = REST;
      g.beginPath();
      g.roundRect(x + 4, height / 2 - 4, Math.max(0, width - x - 4), 8, [0, 4, 4, 0]);
      g.fill();
      key.split(" ").forEach((body, place) => {
        const line = lines[place];
        if (!line) return;
        g.fillStyle = BODIES[body as Body].color;
        g.fill(new Path2D(line));
      });
      g.fillStyle = INK;
      g.fillRect(x - 1.5, 0, 3, height);
    },
    [share, key],
  );
  return (
    <Canvas
      draw={draw}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={words}
    />
  );
}
