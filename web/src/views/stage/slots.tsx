// The slots of a scene, and the signals that go into them: by dragging, or by a list for keyboard and tap.

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { BODIES, bodyOf, fillOf } from "../../bodies.ts";
import type { Slot } from "../../scenes/scene.ts";
import { boundTo, defaultOf, rebind, type Show } from "../../scenes/show.ts";
import { Scope } from "../../scope.ts";
import { parts, stemName, wordsOf } from "../../signals/catalogue.ts";
import type { Signal } from "../../signals/signal.ts";
import type { Signals } from "../../signals/signals.ts";
import { Icon } from "../parts/icon.tsx";
import { Shape } from "../parts/shape.tsx";
import { toast } from "../toasts.ts";
import { bind, bindings, scene } from "./kept.ts";
import { isEmpty, slotStem, slotWords } from "./words.ts";
import "./signals.css";
import "./slots.css";

/** What is dragged, and where the pointer is; the slot under it. */
interface Drag {
  readonly id: string;
  readonly from: string | null;
  readonly x: number;
  readonly y: number;
  readonly over: string | null;
}

const drag = signal<Drag | null>(null);

/** A slot that has just refused something. */
const refused = signal<string | null>(null);

function put(slot: string, id: string | null, signals: Signals): void {
  const result = rebind(scene.peek(), slot, id, signals, bindings.peek());
  if ("bindings" in result) {
    bind(result.bindings);
    return;
  }
  refused.value = slot;
  setTimeout(() => {
    if (refused.peek() === slot) refused.value = null;
  }, 400);
  toast({ title: result.refused });
}

/** Begin to drag a signal with the pointer; it is dropped into the slot that is under it then. */
function start(event: PointerEvent, id: string, from: string | null, signals: Signals): void {
  if (event.button !== 0) return;
  const scope = new Scope();
  const origin = { x: event.clientX, y: event.clientY };
  const slotAt = (x: number, y: number) => {
    const slot = document.elementFromPoint(x, y)?.closest<HTMLElement>("[data-slot]");
    return slot?.dataset.slot ?? null;
  };
  const move = ({ clientX: x, clientY: y }: PointerEvent) => {
    if (!drag.peek() && Math.hypot(x - origin.x, y - origin.y) < 5) return;
    drag.value = { id, from, x, y, over: slotAt(x, y) };
  };
  const end = ({ clientX: x, clientY: y, type }: PointerEvent) => {
    const was = drag.peek();
    drag.value = null;
    scope.close();
    const slot = slotAt(x, y);
    if (!was || type === "pointercancel" || slot === null || slot === from) return;
    put(slot, id, signals);
  };
  const { signal } = scope;
  addEventListener("pointermove", move, { signal });
  addEventListener("pointerup", end, { signal });
  addEventListener("pointercancel", end, { signal });
  addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape") return;
      drag.value = null;
      scope.close();
    },
    { signal },
  );
}

export function Slots({ show, signals, time }: { show: Show; signals: Signals; time: () => number }) {
  const [open, unfold] = useState<string | null>(null);
  const bars = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    const scope = new Scope();
    let due = 0;
    scope.frames((now) => {
      if (now < due) return;
      due = now + 60;
      for (const bar of bars.current?.querySelectorAll<HTMLElement>("[data-live]") ?? [])
        bar.style.transform = `scaleX(${Math.min(1, Math.max(0, show.input(bar.dataset.live ?? "").value(time())))})`;
    });
    return () => scope.close();
  }, [show, time]);
  const slot = show.scene.slots.find(({ id }) => id === open);
  const count = show.scene.slots.length;
  const many = count > 6;
  return (
    <>
      <fieldset
        class={many ? "slots many" : "slots"}
        ref={bars}
        aria-label="Slots"
        style={{ "--columns": many ? Math.ceil(count / 2) : count }}
      >
        {show.scene.slots.map((each) => (
          <SlotKey
            key={each.id}
            slot={each}
            signals={signals}
            onOpen={() => unfold(open === each.id ? null : each.id)}
          />
        ))}
      </fieldset>
      {slot && (
        <SignalList
          slot={slot}
          signals={signals}
          onClose={() => {
            unfold(null);
            document.querySelector<HTMLElement>(`[data-slot="${slot.id}"] .slot-key`)?.focus();
          }}
        />
      )}
    </>
  );
}

function SlotKey({ slot, signals, onOpen }: { slot: Slot; signals: Signals; onOpen: () => void }) {
  const words = slotWords(slot, signals, bindings.value);
  const stem = slotStem(slot, signals, bindings.value);
  const empty = isEmpty(slot, signals, bindings.value);
  const target = drag.value?.over === slot.id && drag.value.from !== slot.id;
  const id = boundTo(slot, bindings.value, signals);
  const state = target ? "slot target" : refused.value === slot.id ? "slot refused" : empty ? "slot vacant" : "slot";
  return (
    <div class={state} data-slot={slot.id}>
      <button type="button" class="slot-key" aria-haspopup="listbox" onClick={onOpen}>
        <span class="hole">{stem && <Shape key={id} body={bodyOf(stem)} fill={fillOf(stem)} size={24} />}</span>
        <span class="grow">
          <b class="ell">{slot.name}</b>
          <small class="ell">{target ? "Drop here" : words}</small>
          <span class="sr">. Bind a signal</span>
        </span>
      </button>
      {stem && (
        <span class="live-bar" aria-hidden="true">
          <i data-live={slot.id} style={{ background: BODIES[bodyOf(stem)].color }} />
        </span>
      )}
      {!empty && id !== null && (
        <span class="grip" aria-hidden="true" onPointerDown={(event) => start(event, id, slot.id, signals)}>
          <Icon name="grip" />
        </span>
      )}
    </div>
  );
}

/** The signals of the song, to be dragged; the finer ones are folded away. */
export function Palette({ signals }: { signals: Signals }) {
  const [fine, unfold] = useState(false);
  const list = signals.list().filter((each) => fine || !each.fine);
  return (
    <aside class="palette screen" aria-label="Signals">
      <div class="row between">
        <h2 class="t4">Signals</h2>
        <span class="xs dim">
          drag onto a slot, or press <kbd>B</kbd>
        </span>
      </div>
      {signals.song.analysis === null && <p class="sm mute">This song was not analysed: nothing drives a scene.</p>}
      {byStem(list).map(([stem, own]) => (
        <div key={stem} class="signal-row">
          <span title={stemName(stem)}>
            <Shape body={bodyOf(stem)} fill={fillOf(stem)} size={22} />
            {list.some((one) => one.stem !== stem && one.body === stem) && <small class="dim">all</small>}
          </span>
          <fieldset class="chips" aria-label={stemName(stem)}>
            {own.map(({ id, name, silent }) => (
              <span
                key={id}
                class={silent ? "chip silent" : drag.value?.id === id ? "chip dragged" : "chip"}
                title={silent ? `There is no ${name} in this song` : undefined}
                onPointerDown={(event) => {
                  if (!silent) start(event, id, null, signals);
                }}
              >
                {name}
              </span>
            ))}
          </fieldset>
        </div>
      ))}
      <button type="button" class="key sml ghost" aria-expanded={fine} onClick={() => unfold(!fine)}>
        {fine ? "Fewer" : "All signals"}
      </button>
    </aside>
  );
}

/** The pill under the pointer. */
export function Flying() {
  const now = drag.value;
  if (!now) return null;
  const { stem } = parts(now.id);
  return (
    <div
      class="flying"
      aria-hidden="true"
      style={{ transform: `translate(${now.x + 8}px, ${now.y - 20}px) rotate(-3deg)` }}
    >
      <Shape body={bodyOf(stem)} fill={fillOf(stem)} size={24} />
      {wordsOf(now.id)}
    </div>
  );
}

function byStem(list: readonly Signal[]): [string, Signal[]][] {
  const groups = new Map<string, Signal[]>();
  for (const one of list) groups.set(one.stem, [...(groups.get(one.stem) ?? []), one]);
  return [...groups];
}

/** The list that is the twin of dragging. */
function SignalList({ slot, signals, onClose }: { slot: Slot; signals: Signals; onClose: () => void }) {
  const usual = defaultOf(slot, signals);
  const options = [
    { id: null, words: "Empty", silent: false },
    { id: usual, words: `Default: ${wordsOf(usual)}`, silent: false },
    ...signals
      .list()
      .filter(({ kind }) => slot.kind === "curve" || kind === "events")
      .map(({ id, silent }) => ({ id, words: wordsOf(id), silent })),
  ];
  const bound = boundTo(slot, bindings.value, signals);
  const [at, go] = useState(() =>
    Math.max(
      0,
      options.findLastIndex(({ id }) => id === bound),
    ),
  );
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => list.current?.focus(), []);
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  const pick = (place: number) => {
    put(slot.id, options[place]?.id ?? null, signals);
    onClose();
  };
  const keyed = (event: KeyboardEvent) => {
    const last = options.length - 1;
    const to = { ArrowDown: Math.min(last, at + 1), ArrowUp: Math.max(0, at - 1), Home: 0, End: last }[event.code];
    if (to !== undefined) go(to);
    else if (event.code === "Enter" || event.code === "Space") pick(at);
    else if (event.code === "Escape") onClose();
    else if (/^[a-z]$/i.test(event.key)) {
      const found = [...options.keys()].find((place) => {
        const next = (at + 1 + place) % options.length;
        return options[next]?.words.toLowerCase().startsWith(event.key.toLowerCase());
      });
      if (found !== undefined) go((at + 1 + found) % options.length);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={list}
      class="signal-list screen"
      role="listbox"
      tabIndex={0}
      aria-label={`Signal for ${slot.name}`}
      aria-activedescendant={`signal-${at}`}
      onKeyDown={keyed}
      onBlur={onClose}
    >
      {options.map(({ id, words, silent }, place) => (
        <div
          key={`${place}-${id}`}
          id={`signal-${place}`}
          role="option"
          tabIndex={-1}
          aria-selected={place === at}
          class={silent ? "silent" : ""}
          onPointerDown={(event) => {
            event.preventDefault();
            pick(place);
          }}
        >
          {id !== null && <Shape body={bodyOf(parts(id).stem)} fill={fillOf(parts(id).stem)} size={16} />}
          {words}
          {silent && <small>, silent here</small>}
        </div>
      ))}
    </div>
  );
}
