// The six scenes side by side, played by the built-in song: each moves while it is looked at.

import { useEffect, useMemo, useState } from "preact/hooks";
import { bodyOf } from "../../bodies.ts";
import { SCENES } from "../../scenes/all.ts";
import type { Scene } from "../../scenes/scene.ts";
import { show } from "../../scenes/show.ts";
import { parts } from "../../signals/catalogue.ts";
import { Signals } from "../../signals/signals.ts";
import { Shape } from "../parts/shape.tsx";
import { settings, still } from "../settings.ts";
import type { Console } from "../song/console.ts";
import { scene as onStage } from "../stage/kept.ts";
import { Picture } from "../stage/picture.tsx";
import { openShowcase } from "../welcome/backdrop.tsx";
import "./scenes.css";

export function Scenes() {
  const { console, failed } = useShowcase();
  const signals = useMemo(() => console && new Signals(console.opened.song), [console]);
  return (
    <main class="gallery" id="main">
      <div class="row between gallery-head">
        <h1 class="t2" tabIndex={-1}>
          Six scenes
        </h1>
        <p class="mute sm wide">Each is a function of the song’s data and the time: the same song, the same frames.</p>
      </div>
      {failed && <p class="mute">The built-in song cannot be had now: {failed}</p>}
      <ul>
        {SCENES.map((scene) => (
          <li key={scene.id}>
            <button
              type="button"
              aria-label={`${scene.name}: open it on stage`}
              onClick={() => {
                onStage.value = scene;
                location.hash = "#/song/night-bus/stage";
              }}
            >
              {signals && console ? (
                <Framed scene={scene} signals={signals} console={console} />
              ) : (
                <div class="gallery-picture" />
              )}
            </button>
            <div class="row gallery-name">
              <h2 class="t3">{scene.name}</h2>
              <span class="sm dim">{scene.about.toLowerCase()}</span>
            </div>
            <ul class="drives sm mute">
              {scene.slots.slice(0, 4).map((slot) => (
                <li key={slot.id}>
                  <Shape body={bodyOf(parts(slot.signal).stem)} size={14} />
                  {slot.name.toLowerCase()}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </main>
  );
}

function Framed({ scene, signals, console }: { scene: Scene; signals: Signals; console: Console }) {
  const [looked, look] = useState(false);
  const limit = settings.value.limiter;
  const made = useMemo(() => show(scene, signals, {}, { limit }), [scene, signals, limit]);
  const rest = useMemo(() => () => signals.song.duration * 0.36, [signals]);
  const time = useMemo(() => () => console.now(), [console]);
  const moves = looked && !still.value;
  return (
    <span class="contents" onPointerEnter={() => look(true)} onPointerLeave={() => look(false)}>
      <Picture show={made} time={moves ? time : rest} rate={moves ? 30 : 0} class="gallery-picture" />
    </span>
  );
}

function useShowcase(): { console: Console | null; failed: string | null } {
  const [found, show] = useState<{ console: Console | null; failed: string | null }>({ console: null, failed: null });
  useEffect(() => {
    const abort = new AbortController();
    let opened: Console | null = null;
    openShowcase(abort.signal).then(
      (console) => {
        if (abort.signal.aborted) return console.close();
        opened = console;
        show({ console, failed: null });
      },
      (error: unknown) => show({ console: null, failed: error instanceof Error ? error.message : String(error) }),
    );
    return () => {
      abort.abort();
      opened?.close();
    };
  }, []);
  return found;
}
