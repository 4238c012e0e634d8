// What of the welcome page needs the scenes and the song: fetched after its words.

import { useEffect, useRef } from "preact/hooks";
import { bodyOf } from "../../bodies.ts";
import { SCENES } from "../../scenes/all.ts";
import { Scope } from "../../scope.ts";
import { stemName } from "../../signals/catalogue.ts";
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
import { useKeys } from "../usekeys.ts";
import { clock, listed, spoken } from "../words.ts";
import type { Place, Wish } from "./painter.worker.ts";

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
  const element = useRef<HTMLCanvasElement>(null);
  const on = scene.value;
  const stems = listed(console.stems.map((stem) => stemName(stem).toLowerCase()));
  const label =
    on.id === "split"
      ? `The song arrives from the right as one grey wave. At a white line it parts into ${stems}.`
      : `${on.name}. ${on.about}.`;
  useEffect(() => {
    const scope = new Scope();
    if (element.current) painted(element.current, console, scope);
    return () => scope.close();
  }, [console]);
  return (
    <canvas
      ref={element}
      role="img"
      aria-label={label}
      class={on.id === "split" ? "welcome-picture parted" : "welcome-picture"}
    />
  );
}

/** Have the scene painted on a canvas, a picture at a time, as fast as they come. */
function painted(canvas: HTMLCanvasElement, console: Console, scope: Scope): void {
  const painter = new Worker(new URL("./painter.worker.ts", import.meta.url), { type: "module" });
  scope.add(() => painter.terminate());
  let isBusy = true;
  let last = "";
  painter.addEventListener("message", () => {
    isBusy = false;
  });
  const place: Place = {
    canvas: canvas.transferControlToOffscreen(),
    song: new URL("song/", document.baseURI).href,
  };
  painter.postMessage(place, [place.canvas]);
  scope.frames(() => {
    const { width, height } = canvas.getBoundingClientRect();
    if (isBusy || width < 1 || height < 1) return;
    const wish: Wish = {
      scene: scene.peek().id,
      limit: settings.peek().limiter,
      time: console.now(),
      scale: Math.min(2, Math.max(1, devicePixelRatio || 1)),
      width,
      height,
      inset: 0,
      transparent: false,
      still: still.peek(),
    };
    const state = Object.values(wish).join(" ");
    if (state === last) return;
    last = state;
    isBusy = true;
    painter.postMessage(wish);
  });
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
            <button key={stem} type="button" class="stem-key" aria-pressed={heard} onClick={() => console.mute(stem)}>
              <Shape body={bodyOf(stem)} fill={heard ? "full" : "hollow"} />
              <span class="stem-name">{stemName(stem)}</span>
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
