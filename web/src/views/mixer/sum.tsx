// How nearly the stems sum to their song: measured against the song itself, which the page has once it is chosen.

import type { Console } from "../song/console.ts";
import { measure, residual } from "./residual.ts";

export function Sum({ console }: { console: Console }) {
  const { job } = console.opened;
  if (!console.hasSound || (job && job.source.kind !== "song" && job.source.kind !== undefined)) return null;
  if (!job) return null;
  const found = residual.value.get(job.id);
  if (!found)
    return (
      <div class="sum xs">
        <b>Residual</b>
        <button type="button" class="key sml" onClick={() => measure(console)}>
          Measure against the song
        </button>
      </div>
    );
  if (found.state === "busy") return <p class="sum xs mute">Comparing, {Math.round(found.share * 100)} %</p>;
  if (found.state === "failed") return <p class="sum xs mute">{found.why}</p>;
  const { decibels } = found;
  const share = Math.min(1, Math.max(0, -decibels / 60));
  return (
    <div class="sum">
      <div class="row between xs">
        <b>Residual</b>
        <span class="num">{decibels === Number.NEGATIVE_INFINITY ? "−∞" : `−${Math.abs(decibels).toFixed(1)}`} dB</span>
      </div>
      <div class="scale" style={{ "--v": `${share * 100}%` }} />
      <div class="xs dim">{found.words}</div>
    </div>
  );
}
