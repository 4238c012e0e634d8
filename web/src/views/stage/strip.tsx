// The six scenes, small: one of them is on. Each moves while it is looked at, and stands still else.

import { useMemo, useRef, useState } from "preact/hooks";
import { SCENES } from "../../scenes/all.ts";
import type { Scene } from "../../scenes/scene.ts";
import { show } from "../../scenes/show.ts";
import type { Signals } from "../../signals/signals.ts";
import { settings, still } from "../settings.ts";
import { bindingsOf, scene } from "./kept.ts";
import { Picture } from "./picture.tsx";
import "./strip.css";

export const SCENE_KEYS = "QWERTY";

export function Strip({ signals, time }: { signals: Signals; time: () => number }) {
  const group = useRef<HTMLDivElement>(null);
  const go = (to: Scene) => {
    scene.value = to;
  };
  const keyed = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.code];
    if (!by) return;
    event.preventDefault();
    const next = SCENES[(SCENES.indexOf(scene.peek()) + by + SCENES.length) % SCENES.length];
    if (!next) return;
    go(next);
    group.current?.querySelector<HTMLElement>(`[data-scene=${next.id}]`)?.focus();
  };
  return (
    <div class="strip" role="radiogroup" aria-label="Scene" ref={group} onKeyDown={keyed}>
      {SCENES.map((each, place) => (
        <Thumb key={each.id} scene={each} place={place} signals={signals} time={time} onChoose={() => go(each)} />
      ))}
    </div>
  );
}

interface ThumbProps {
  scene: Scene;
  place: number;
  signals: Signals;
  time: () => number;
  onChoose: () => void;
}

function Thumb({ scene: each, place, signals, time, onChoose }: ThumbProps) {
  const [looked, look] = useState(false);
  const on = scene.value === each;
  const bound = bindingsOf(each.id);
  const limit = settings.value.limiter;
  const made = useMemo(() => show(each, signals, bound, { limit }), [each, signals, bound, limit]);
  // A third into the song there is something to see.
  const rest = useMemo(() => () => signals.song.duration * 0.36, [signals]);
  const moves = looked && !still.value;
  return (
    // biome-ignore lint/a11y/useSemanticElements: the picture is what is chosen
    <button
      type="button"
      class="thumb"
      role="radio"
      data-scene={each.id}
      aria-checked={on}
      tabIndex={on ? 0 : -1}
      onClick={onChoose}
      onPointerEnter={() => look(true)}
      onPointerLeave={() => look(false)}
      onFocus={() => look(true)}
      onBlur={() => look(false)}
    >
      <Picture show={made} time={moves ? time : rest} rate={moves ? 12 : 0} />
      <span>
        {each.name}
        <kbd class="wide">{SCENE_KEYS[place]}</kbd>
      </span>
    </button>
  );
}
