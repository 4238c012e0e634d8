// What a done job shows in its bar: its stems' own peaks, or the notes of a song that came as MIDI.

import { useCallback } from "preact/hooks";
import { BODIES, bodyOf, inLanes } from "../../bodies.ts";
import { Canvas } from "../parts/canvas.tsx";
import type { Digest } from "../song/digest.ts";
import { reach } from "../song/peaks.ts";

const STEP = 1.5;

export function Outline({ digest }: { digest: Digest | null }) {
  const draw = useCallback(
    (g: CanvasRenderingContext2D, width: number, height: number) => {
      if (!digest) return;
      if (digest.peaks.size > 0) drawPeaks(g, width, height, digest);
      else drawNotes(g, width, height, digest);
    },
    [digest],
  );
  return <Canvas draw={draw} aria-hidden="true" />;
}

function drawPeaks(g: CanvasRenderingContext2D, width: number, height: number, { peaks }: Digest): void {
  const stems = [...peaks];
  const seconds = Math.max(...stems.map(([, { high, rate }]) => high.length / rate));
  const loudest = Math.max(0.05, ...stems.map(([, outline]) => reach(outline, 0, seconds)));
  const band = height / stems.length;
  stems.forEach(([stem, outline], row) => {
    g.fillStyle = BODIES[bodyOf(stem)].color;
    const middle = band * (row + 0.5);
    for (let x = 0; x < width; x += STEP) {
      const most = reach(outline, (x / width) * seconds, ((x + STEP) / width) * seconds);
      const half = Math.max(0.4, (most / loudest) * band * 0.5);
      g.fillRect(x, middle - half, STEP, 2 * half);
    }
  });
}

function drawNotes(g: CanvasRenderingContext2D, width: number, height: number, { analysis }: Digest): void {
  if (!analysis) return;
  const stems = inLanes(Object.keys(analysis.stems));
  const band = height / Math.max(1, stems.length);
  stems.forEach((stem, row) => {
    const { notes, hits } = analysis.stems[stem] ?? {};
    const marks =
      notes?.map(({ t, d, p }) => ({ t, d, p })) ?? hits?.map(({ t, note }) => ({ t, d: 0, p: note })) ?? [];
    const pitches = marks.map(({ p }) => p);
    const [low, high] = [Math.min(...pitches), Math.max(...pitches)];
    g.fillStyle = BODIES[bodyOf(stem)].color;
    for (const { t, d, p } of marks) {
      const y = band * (row + 0.1 + 0.7 * (1 - (p - low) / Math.max(1, high - low)));
      g.fillRect((t / analysis.duration) * width, y, Math.max(2, (d / analysis.duration) * width - 1), 2.2);
    }
  });
}
