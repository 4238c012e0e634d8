// A lane's head: mute, solo, gain, and whether the stem is taken along. M, S, X and the arrows work in it, too.

import { bodyOf, fillOf } from "../../bodies.ts";
import { stemName } from "../../signals/catalogue.ts";
import { Slider } from "../parts/controls.tsx";
import { Shape } from "../parts/shape.tsx";
import { settings } from "../settings.ts";
import type { Console } from "../song/console.ts";
import { GAIN, isHeard, steppedGain } from "../song/mix.ts";
import { counted, decibels } from "../words.ts";

interface Props {
  console: Console;
  stem: string;
  place: number;
}

export function Lane({ console, stem, place }: Props) {
  const channel = console.mix.value[stem];
  if (!channel) return null;
  const name = stemName(stem);
  const body = bodyOf(stem);
  const louder = (by: number) => console.change(stem, { gain: steppedGain(channel.gain + by) });
  const words = channel.gain <= GAIN.least ? "silent" : `${decibels(channel.gain)} dB`;
  const keyed = (event: KeyboardEvent) => {
    if (!settings.value.keys || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const run = {
      KeyM: () => console.mute(stem),
      KeyS: () => console.solo(stem),
      KeyX: () => console.change(stem, { taken: !channel.taken }),
      ArrowUp: () => louder(GAIN.step),
      ArrowDown: () => louder(-GAIN.step),
    }[event.code];
    if (!run) return;
    event.preventDefault();
    run();
  };
  return (
    <fieldset class={isHeard(console.mix.value, stem) ? "lane" : "lane unheard"} aria-label={name} onKeyDown={keyed}>
      <p class="sr">{summary(console, stem)}</p>
      <div class="row">
        <Shape body={body} size={24} fill={isHeard(console.mix.value, stem) ? fillOf(stem) : "hollow"} />
        <span class={name.length > 11 ? "t3 lane-name long grow ell" : "t3 lane-name grow ell"}>{name}</span>
        {place < 9 && <kbd class="wide">{place + 1}</kbd>}
        {console.hasSound && (
          <input
            type="checkbox"
            class="check wide"
            aria-label={`Take ${name}`}
            checked={channel.taken}
            onChange={() => console.change(stem, { taken: !channel.taken })}
          />
        )}
      </div>
      <div class="row">
        <button
          type="button"
          class="key sml sq"
          aria-label={`Mute ${name}`}
          aria-pressed={channel.muted}
          onClick={() => console.mute(stem)}
        >
          M
        </button>
        <button
          type="button"
          class="key sml sq"
          aria-label={`Hear ${name} alone`}
          aria-pressed={channel.solo}
          onClick={() => console.solo(stem)}
        >
          S
        </button>
        <Slider
          class="grow"
          label={`Gain of ${name}`}
          value={toShare(channel.gain)}
          min={0}
          max={1}
          step={0.001}
          words={words}
          onInput={(share) => console.change(stem, { gain: steppedGain(toGain(share)) })}
        />
        <span class="xs num dim decibels">{channel.gain <= GAIN.least ? "−∞" : decibels(channel.gain)}</span>
      </div>
      <div class="meter" aria-hidden="true">
        <i data-meter={place} />
      </div>
    </fieldset>
  );
}

/** The slider's way: the upper decibels take most of it, as on a desk. */
export function toShare(gain: number): number {
  return ((gain - GAIN.least) / (GAIN.most - GAIN.least)) ** 2;
}

export function toGain(share: number): number {
  return GAIN.least + Math.sqrt(share) * (GAIN.most - GAIN.least);
}

/** What is drawn in the lane, in a sentence. */
function summary({ opened }: Console, stem: string): string {
  const track = opened.song.analysis?.stems[stem];
  if (!track) return "Not analysed.";
  if (track.hits) return `${counted(track.hits.length, "hit")}.`;
  if (track.notes) return `${counted(track.notes.length, "note")}.`;
  return `${counted(track.onsets.length, "onset")}.`;
}
