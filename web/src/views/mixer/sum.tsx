// How nearly the stems sum to their song.

import type { Console } from "../song/console.ts";
import { residualOf } from "./residual.ts";

export function Sum({ console }: { console: Console }) {
  const { job } = console.opened;
  const said = job && residualOf(job);
  if (!said) return null;
  const { figure, share, words } = said;
  return (
    <section class="sum" aria-label="Residual">
      <div class="row between xs">
        <b>Residual</b>
        <span class="num">{figure}</span>
      </div>
      <div class="scale" style={{ "--v": `${share * 100}%` }} />
      <div class="xs dim">{words}</div>
    </section>
  );
}
