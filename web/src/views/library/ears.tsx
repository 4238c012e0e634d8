// A stem's shape as a key that plays it, while its song is still being analysed. One is heard at a time, on the page.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Job } from "../../api/client.ts";
import type { Player } from "../../audio/player.ts";
import { bodyOf, fillOf } from "../../bodies.ts";
import { stemName } from "../../signals/catalogue.ts";
import { Shape } from "../parts/shape.tsx";
import { desk } from "../session.ts";
import { sourcesOf } from "../song/sources.ts";
import { toast } from "../toasts.ts";

interface Heard {
  readonly job: string;
  readonly stem: string;
}

const heard = signal<Heard | null>(null);
let player: Player | null = null;

export function Ears({ job, stems }: { job: Job; stems: readonly string[] }) {
  useEffect(() => () => void (heard.peek()?.job === job.id && stop()), [job.id]);
  return (
    <fieldset class="ears" aria-label="Listen to a stem">
      {stems.map((stem) => {
        const playing = heard.value?.job === job.id && heard.value.stem === stem;
        return (
          <button
            key={stem}
            type="button"
            aria-pressed={playing}
            aria-label={stemName(stem)}
            onClick={() => (playing ? stop() : void play(job.id, stem))}
          >
            <Shape body={bodyOf(stem)} fill={fillOf(stem)} size={16} />
          </button>
        );
      })}
    </fieldset>
  );
}

function stop(): void {
  player?.close();
  player = null;
  heard.value = null;
}

async function play(job: string, stem: string): Promise<void> {
  stop();
  const client = desk.peek()?.client;
  if (!client) return;
  const wanted = { job, stem };
  heard.value = wanted;
  try {
    const { openPlayer } = await import("../../audio/player.ts");
    const sources = await sourcesOf(client, job, [stem]);
    const opened = await openPlayer(sources);
    if (heard.peek() !== wanted) return opened.close();
    player = opened;
    opened.onChange(() => opened.state === "ended" && stop());
    await opened.play();
  } catch (error) {
    if (heard.peek() === wanted) stop();
    toast({ title: `${stem} cannot be heard`, text: error instanceof Error ? error.message : String(error) });
  }
}
