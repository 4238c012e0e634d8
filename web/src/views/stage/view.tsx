// The stage: a scene that follows the song, and the shelf of slots and scenes below it.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { SCENES } from "../../scenes/all.ts";
import { show } from "../../scenes/show.ts";
import { Scope } from "../../scope.ts";
import { Signals } from "../../signals/signals.ts";
import { Switch } from "../parts/controls.tsx";
import { Dots } from "../parts/dots.tsx";
import { Icon } from "../parts/icon.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Mark } from "../parts/top.tsx";
import { fragmentOf, isOverlay, overlayOf } from "../route.ts";
import { low, narrow, set, settings, wide } from "../settings.ts";
import type { Console } from "../song/console.ts";
import { songKeys } from "../song/keys.ts";
import { useNow } from "../song/usenow.ts";
import { SongTabs } from "../song/view.tsx";
import { Saving, saving } from "../take/saves.tsx";
import { toast } from "../toasts.ts";
import { useKeys } from "../usekeys.ts";
import { clock, spoken } from "../words.ts";
import { asFile, bindings, lend, scene } from "./kept.ts";
import { Picture } from "./picture.tsx";
import { PresetMenu } from "./presets.tsx";
import { Flying, Palette, Slots } from "./slots.tsx";
import { SCENE_KEYS, Strip } from "./strip.tsx";
import { pictureWords } from "./words.ts";
import "./stage.css";

/** Seconds without pointer or key after which the shelf goes, in full screen. */
const REST = 3;

/** What a low window's shelf shows, one at a time. */
const PARTS = [
  ["slots", "Slots"],
  ["scenes", "Scenes"],
] as const;
type Part = (typeof PARTS)[number][0];

/** `covered` while something lies over it that says by itself how far a file is. */
export function Stage({ console, covered }: { console: Console; covered: boolean }) {
  const { song, id } = console.opened;
  const signals = useMemo(() => new Signals(song), [song]);
  const limit = settings.value.limiter;
  const [on, bound] = [scene.value, bindings.value];
  const shown = useMemo(() => show(on, signals, bound, { limit }), [on, signals, bound, limit]);
  const time = useMemo(() => () => console.now(), [console]);
  const overlay = isOverlay(location);
  const room = useRef<HTMLDivElement>(null);
  const shelf = useRef<HTMLElement>(null);
  const [hidden, hide] = useState(false);
  const [palette, unfold] = useState(wide.peek());
  const [part, turn] = useState<Part>("slots");
  const folded = low.value;
  const inset = useInset(shelf, hidden);
  const resting = useRest(room);
  useEffect(
    () => void console.ready().catch((error) => (console.error.value = String(error.message ?? error))),
    [console],
  );
  useEffect(() => {
    if (!overlay) return;
    lend(overlayOf(location));
    document.documentElement.dataset.overlay = "";
    void console.playSilently();
    return () => {
      delete document.documentElement.dataset.overlay;
    };
  }, [overlay, console]);
  const full = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void room.current?.requestFullscreen?.().catch(() => toast({ title: "This browser gives no full screen." }));
  };
  const scenes = Object.fromEntries(
    SCENES.map((each, place) => [
      `Key${SCENE_KEYS[place]}`,
      () => {
        scene.value = each;
      },
    ]),
  );
  useKeys({
    ...songKeys(console),
    ...scenes,
    KeyB: () => {
      turn("slots");
      setTimeout(bindFocused); // once they are there
    },
    KeyF: full,
    KeyH: () => hide(!hidden),
  });
  const words = pictureWords(on, signals, bound);
  if (overlay) return <Picture show={shown} time={time} transparent class="stage-picture" label={words} />;
  const state = `${hidden || resting ? " away" : ""}${resting ? " resting" : ""}`;
  const away = hidden || resting;
  return (
    <div class={`stage${state}`} ref={room} style={{ "--shelf": `${inset * innerHeight}px` }}>
      <header class="top screen stage-top">
        <Mark />
        <h1 class="t4 ell" tabIndex={-1}>
          {song.title}
        </h1>
        <span class="grow" />
        <span class="wide">
          <SongTabs id={id} view="stage" />
        </span>
        <a class="key sml narrow" href={fragmentOf({ view: "mix", song: id })}>
          Mix
        </a>
      </header>
      <main id="main">
        <Picture show={shown} time={time} inset={away ? 0 : inset} class="stage-picture" label={words} />
        <div class="stage-over">
          {palette && <Palette signals={signals} />}
          <section class="shelf screen" aria-label="Stage controls" ref={shelf}>
            {narrow.value && <Transport console={console} onFull={full} />}
            {folded ? (
              <div id="shelf-part" role="tabpanel" aria-labelledby={`tab-${part}`}>
                {part === "slots" ? (
                  <Slots show={shown} signals={signals} time={time} />
                ) : (
                  <Strip signals={signals} time={time} />
                )}
              </div>
            ) : (
              <Slots show={shown} signals={signals} time={time} />
            )}
            <div class={folded ? "shelf-low folded" : "shelf-low"}>
              {folded ? (
                <Tabs label="Shelf" tabs={PARTS} value={part} panel="shelf-part" onChange={turn} />
              ) : (
                <Strip signals={signals} time={time} />
              )}
              <div class="shelf-controls">
                {!narrow.value && <Transport console={console} onFull={full} />}
                {!narrow.value && <PresetMenu />}
                <Switch
                  name="Flash limiter"
                  about="at most 3 a second"
                  on={limit}
                  onChange={(limiter) => set({ limiter })}
                />
                <div class="row shelf-keys">
                  <button type="button" class="key sml" aria-pressed={palette} onClick={() => unfold(!palette)}>
                    Signals
                  </button>
                  <button type="button" class="key sml sq wide" aria-label="Full screen" onClick={full}>
                    <Icon name="full" />
                  </button>
                  <button type="button" class="key sml wide" onClick={() => void shareOverlay(id)}>
                    OBS
                  </button>
                  <a class="key pri sml" href={fragmentOf({ view: "take", song: id })}>
                    <Icon name="film" />
                    Export
                  </a>
                </div>
              </div>
            </div>
          </section>
        </div>
      </main>
      <Flying />
      {!covered && saving.value && <Saving />}
      {console.error.value && (
        <p class="stage-error screen sm" role="alert">
          {console.error.value}
        </p>
      )}
    </div>
  );
}

function Transport({ console, onFull }: { console: Console; onFull: () => void }) {
  const now = useNow(console, 20);
  const playing = console.state.value === "playing" || console.state.value === "waiting";
  return (
    <div class="row stage-transport">
      <button
        type="button"
        class="key pri"
        aria-label={playing ? "Pause" : "Play"}
        onClick={() => void console.toggle()}
      >
        <Icon name={playing ? "pause" : "play"} />
      </button>
      <Dots text={clock(now, narrow.value ? 0 : 2)} say={spoken(Math.round(now))} />
      {narrow.value && (
        <>
          <span class="grow" />
          <PresetMenu />
          <button type="button" class="key sml sq" aria-label="Full screen" onClick={onFull}>
            <Icon name="full" />
          </button>
        </>
      )}
    </div>
  );
}

/** Open the list of the slot that has the focus, or of the first one. */
function bindFocused(): void {
  const focused = document.activeElement?.closest<HTMLElement>("[data-slot]");
  const slot = focused ?? document.querySelector<HTMLElement>("[data-slot]");
  slot?.querySelector<HTMLElement>(".slot-key")?.click();
}

/** The share of the window that the shelf covers. */
function useInset(shelf: { readonly current: HTMLElement | null }, hidden: boolean): number {
  const [inset, cover] = useState(0);
  useEffect(() => {
    const element = shelf.current;
    if (!element) return;
    const look = () => {
      const { top } = element.getBoundingClientRect();
      cover(Math.min(0.6, Math.max(0, 1 - top / innerHeight)));
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    addEventListener("resize", look);
    look();
    return () => {
      observer.disconnect();
      removeEventListener("resize", look);
    };
  }, [hidden]);
  return inset;
}

/** Whether full screen is on, and nobody has moved for a while. Any key, any move ends it; focus stays where it is. */
function useRest(room: { readonly current: HTMLElement | null }): boolean {
  const [resting, rest] = useState(false);
  useEffect(() => {
    const scope = new Scope();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const woken = () => {
      clearTimeout(timer);
      rest(false);
      if (document.fullscreenElement === room.current) timer = setTimeout(() => rest(true), REST * 1000);
    };
    const { signal } = scope;
    for (const event of ["pointermove", "pointerdown", "keydown"]) addEventListener(event, woken, { signal });
    document.addEventListener("fullscreenchange", woken, { signal });
    scope.add(() => clearTimeout(timer));
    return () => scope.close();
  }, [room]);
  return resting;
}

/** The address of the picture alone, for OBS. */
async function shareOverlay(id: string): Promise<void> {
  const song = fragmentOf({ view: "stage", song: id });
  // Behind the fragment, where it goes to no server, and a sign-in leads back to it.
  const address = `${location.origin}${location.pathname}${song}?obs=${encodeURIComponent(asFile().text)}`;
  try {
    await navigator.clipboard.writeText(address);
    toast({
      title: "The address for OBS is copied",
      text: "Add it as a browser source: the picture alone, on nothing.",
    });
  } catch {
    toast({ title: "The address for OBS", text: address });
  }
}
