// What of the welcome page needs the scenes and the song: fetched after its words.

import { useMemo } from "preact/hooks";
import { bodyOf } from "../../bodies.ts";
import { SCENES } from "../../scenes/all.ts";
import { show } from "../../scenes/show.ts";
import { stemName } from "../../signals/catalogue.ts";
import { Signals } from "../../signals/signals.ts";
import { Dots } from "../parts/dots.tsx";
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { Shape } from "../parts/shape.tsx";
import { narrow, settings, still } from "../settings.ts";
import { Console } from "../song/console.ts";
import { songKeys } from "../song/keys.ts";
import { isHeard } from "../song/mix.ts";
import { openBuiltIn } from "../song/open.ts";
import { useNow } from "../song/usenow.ts";
import { scene } from "../stage/kept.ts";
import { Picture } from "../stage/picture.tsx";
import { useKeys } from "../usekeys.ts";
import { clock, listed, spoken } from "../words.ts";

/** Where there is much to see: a third into the song. */
const BEGIN = 0.3;

/** The built-in song, playing without sound; it stands still where motion is unwanted. */
export async function openShowcase(signal: AbortSignal): Promise<Console> {
  const console = new Console(await openBuiltIn(signal));
  console.seek(console.duration * BEGIN);
  if (!still.peek()) await console.playSilently();
  return console;
}

export function Backdrop({ console }: { console: Console }) {
  const { song } = console.opened;
  const limit = settings.value.limiter;
  const on = scene.value;
  const shown = useMemo(() => show(on, new Signals(song), {}, { limit }), [on, song, limit]);
  const time = useMemo(() => () => console.now(), [console]);
  const stems = listed(console.stems.map((stem) => stemName(stem).toLowerCase()));
  const label =
    on.id === "split"
      ? `The song arrives from the right as one grey wave. At a white line it parts into ${stems}.`
      : `${on.name}. ${on.about}.`;
  return (
    <Picture
      show={shown}
      time={time}
      class={on.id === "split" ? "welcome-picture parted" : "welcome-picture"}
      label={label}
    />
  );
}

export function Deck({ console }: { console: Console }) {
  const now = useNow(console, 20);
  const playing = console.state.value === "playing" || console.state.value === "waiting";
  const silent = console.isSilent;
  useKeys(songKeys(console));
  return (
    <section class="deck" aria-label="Player">
      <button
        type="button"
        class="key round"
        aria-label={playing ? "Pause" : "Play"}
        onClick={() => void (playing ? console.pause() : console.play())}
      >
        <Icon name={playing ? "pause" : "play"} />
      </button>
      <Dots text={clock(now, narrow.value ? 0 : 2)} say={spoken(Math.round(now))} />
      <div class="grow">
        <div class="t4 ell">{console.opened.song.title}</div>
        <div class="xs dim ell">
          <span class="wide">The built-in song, CC0. </span>
          {console.error.value ?? (silent ? "Silent until you press play" : "With sound")}
        </div>
      </div>
      <fieldset class="row deck-stems" aria-label="Stems">
        {console.stems.map((stem, place) => {
          const heard = isHeard(console.mix.value, stem);
          return (
            <button
              key={stem}
              type="button"
              class="stem-key"
              aria-pressed={heard}
              {...(narrow.value ? { "aria-label": stemName(stem) } : {})}
              onClick={() => console.mute(stem)}
            >
              <Shape body={bodyOf(stem)} fill={heard ? "full" : "hollow"} />
              <span class="wide">{stemName(stem)}</span>
              <kbd class="wide">{place + 1}</kbd>
            </button>
          );
        })}
      </fieldset>
      <Menu
        title="Scenes"
        class="wide deck-scenes"
        keyClass="key"
        panelClass="screen"
        panel={(close) =>
          SCENES.map((each) => (
            <button
              key={each.id}
              type="button"
              class="key sml"
              aria-pressed={each === scene.value}
              onClick={() => {
                scene.value = each;
                close();
              }}
            >
              {each.name}
            </button>
          ))
        }
      >
        Scene: {scene.value.name}
        <Icon name="caret" />
      </Menu>
    </section>
  );
}
