// The mixer: a lane for each stem, one ruler, one pipe, one transport.

import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { bodyOf } from "../../bodies.ts";
import { stemName } from "../../signals/catalogue.ts";
import { Dots } from "../parts/dots.tsx";
import { Icon } from "../parts/icon.tsx";
import { Shapes } from "../parts/shape.tsx";
import { narrow } from "../settings.ts";
import type { Console } from "../song/console.ts";
import { songKeys } from "../song/keys.ts";
import { useNow } from "../song/usenow.ts";
import { factsOf, SongTabs, SongTop } from "../song/view.tsx";
import { filesSize, stemFiles } from "../take/files.ts";
import { Saving, saveMixAsHeard, saveStems, saving } from "../take/saves.tsx";
import { useKeys } from "../usekeys.ts";
import { clock, counted, spoken } from "../words.ts";
import { Lane } from "./lane.tsx";
import { Screen } from "./screen.tsx";
import { Sum } from "./sum.tsx";
import { barsAround, barWords, snapped, type Window, within, zoomed } from "./window.ts";
import "./mixer.css";

const BARS = { wide: 8, narrow: 4 };

export function Mixer({ console, onHelp }: { console: Console; onHelp: () => void }) {
  const { song, id } = console.opened;
  const beats = song.analysis?.beats ?? [];
  const { duration } = console;
  const { seen, notes } = useMemo(() => {
    const bars = narrow.peek() ? BARS.narrow : BARS.wide;
    return {
      seen: signal<Window>(barsAround({ beats, seconds: console.now(), bars, duration })),
      notes: signal(true),
    };
  }, [console, beats, duration]);
  const heads = useRef<HTMLDivElement>(null);
  useEffect(
    () => void console.ready().catch((error) => (console.error.value = String(error.message ?? error))),
    [console],
  );
  const zoom = (factor: number) => {
    seen.value = zoomed({ window: seen.value, factor, at: console.now(), duration });
  };
  const edge = (which: "start" | "end") => {
    const here = snapped(beats, console.now());
    const before = console.loop.peek();
    const start = which === "start" ? here : (before?.start ?? 0);
    const end = which === "end" ? here : (before?.end ?? duration);
    if (end > start) console.setLoop({ start, end });
    else console.setLoop(which === "start" ? { start, end: duration } : { start: 0, end: Math.max(end, 0.1) });
  };
  const loop = () => {
    if (console.loop.peek()) return console.toggleLoop();
    const { start, length } = barsAround({ beats, seconds: console.now(), bars: 4, duration });
    console.setLoop({ start, end: start + length });
  };
  useKeys({
    ...songKeys(console),
    BracketLeft: () => edge("start"),
    BracketRight: () => edge("end"),
    Backslash: loop,
    Minus: () => zoom(2),
    Equal: () => zoom(0.5),
    Digit0: () => {
      seen.value = within({ start: 0, length: duration }, duration);
    },
  });
  const shown = useNow(console, 4);
  const meters = (levels: readonly number[]) => {
    for (const meter of heads.current?.querySelectorAll<HTMLElement>("[data-meter]") ?? [])
      meter.style.transform = `scaleY(${Math.min(1, levels[Number(meter.dataset.meter)] ?? 0)})`;
  };
  return (
    <div class="mixer">
      <SongTop id={id} onHelp={onHelp} />
      <main class="mixer-main" id="main">
        <div class="song-bar">
          <h1 class="t2 ell" tabIndex={-1}>
            {song.title}
          </h1>
          <span class="sm mute num">{factsOf(console)}</span>
          <span class="grow wide" />
          <SongTabs id={id} view="mix" />
        </div>
        <section class="desk" aria-label="Lanes" style={{ "--lanes": console.stems.length }}>
          <div class="desk-corner wide">
            <button
              type="button"
              class="key sml"
              title="Another zoom: - and = do it, too"
              onClick={() => nextZoom({ console, seen })}
            >
              <Icon name="zoom" />
              {barsSeen(console, seen.value)}
            </button>
            <button
              type="button"
              class="key sml"
              aria-pressed={notes.value}
              onClick={() => {
                notes.value = !notes.value;
              }}
            >
              Notes
            </button>
            <span class="grow" />
            {console.hasSound && (
              <span class="xs dim" aria-hidden="true">
                Take
              </span>
            )}
          </div>
          <div class="desk-screen">
            <Screen console={console} window={seen} notes={notes} onLevels={meters} shown={shown} />
          </div>
          <div class="desk-heads" ref={heads}>
            {console.stems.map((stem, place) => (
              <Lane key={stem} console={console} stem={stem} place={place} />
            ))}
          </div>
        </section>
        <Transport console={console} onLoop={loop} />
      </main>
      {saving.value && <Saving />}
    </div>
  );
}

const ZOOMS = [1, 2, 4, 8, 16, 32];

function secondsOfBar(console: Console): number {
  const { tempo, meter } = console.opened.song.analysis ?? {};
  return tempo && meter ? (60 / tempo.bpm) * meter : 2;
}

function barsSeen(console: Console, window: Window): string {
  if (window.length >= console.duration * 0.999) return "Whole song";
  const bars = window.length / secondsOfBar(console);
  if (!console.opened.song.analysis?.tempo) return `${window.length.toFixed(1)} s`;
  return bars < 0.95
    ? `${(bars * (console.opened.song.analysis.meter ?? 4)).toFixed(1)} beats`
    : counted(Math.round(bars), "bar");
}

/** The next zoom on, and from the whole song back to one bar. */
function nextZoom({ console, seen }: { console: Console; seen: { value: Window } }): void {
  const { duration } = console;
  const bars = seen.value.length / secondsOfBar(console);
  const next = ZOOMS.find((zoom) => zoom > bars * 1.05);
  const beats = console.opened.song.analysis?.beats ?? [];
  if (seen.value.length >= duration * 0.999)
    seen.value = barsAround({ beats, seconds: console.now(), bars: 1, duration });
  else if (next === undefined) seen.value = within({ start: 0, length: duration }, duration);
  else seen.value = barsAround({ beats, seconds: console.now(), bars: next, duration });
}

function Transport({ console, onLoop }: { console: Console; onLoop: () => void }) {
  const playing = console.state.value === "playing" || console.state.value === "waiting";
  const loop = console.loop.value;
  const taken = console.stems.filter((stem) => console.mix.value[stem]?.taken);
  return (
    <section class="transport" aria-label="Transport">
      <div class="row">
        <button type="button" class="key sq wide" aria-label="Back to the start" onClick={() => console.seek(0)}>
          <Icon name="start" />
        </button>
        <button
          type="button"
          class="key pri play"
          aria-label={playing ? "Pause" : "Play"}
          onClick={() => void console.toggle()}
        >
          <Icon name={playing ? "pause" : "play"} size={24} />
        </button>
        <button
          type="button"
          class="key loop"
          aria-label="Loop"
          aria-pressed={loop !== null && console.looping.value}
          onClick={onLoop}
        >
          <Icon name="loop" />
          <span class="wide">Loop</span>
        </button>
      </div>
      <Readout console={console} />
      <Sum console={console} />
      <span class="grow wide" />
      <p class="sm" role="status">
        {console.error.value ?? (console.state.value === "waiting" ? "Sound is on its way" : "")}
      </p>
      {!console.hasSound && <p class="sm mute">This song came as MIDI: it has no sound.</p>}
      {console.hasSound && (
        <div class="row takes">
          <span class="wide">
            <Shapes stems={taken.slice(0, 6)} />
          </span>
          <button
            type="button"
            class="key pri"
            aria-disabled={taken.length === 0}
            title={taken.length === 0 ? "Take a stem first" : undefined}
            onClick={() => taken.length > 0 && void saveStems(console, taken)}
          >
            <Icon name="down" />
            <span>
              {counted(taken.length, "stem")}, zip
              <span class="wide">{filesSize(stemFiles(console.opened.files, taken), ", ")}</span>
            </span>
          </button>
          <button type="button" class="key wide" onClick={() => void saveMixAsHeard(console)}>
            Mix as heard, WAV
          </button>
        </div>
      )}
    </section>
  );
}

function Readout({ console }: { console: Console }) {
  const now = useNow(console, 20);
  const beats = console.opened.song.analysis?.beats ?? [];
  const at = barWords(beats, now);
  const alone = console.soloist.value;
  const loop = console.loop.value;
  const body = alone ? bodyOf(alone) : undefined;
  const bars = loop && [barWords(beats, loop.start), barWords(beats, loop.end)];
  return (
    <div class="readout screen">
      <div>
        <small>Time</small>
        <Dots text={clock(now, 2)} say={spoken(Math.round(now))} {...(body ? { body } : {})} />
      </div>
      {beats.length > 0 && (
        <div class="wide">
          <small>Bar</small>
          <Dots
            text={at ? `${at.bar}.${at.beat}.${at.part}` : "-.-.-"}
            say={at ? `Bar ${at.bar}, beat ${at.beat}` : "Before the first bar"}
            {...(body ? { body } : {})}
          />
        </div>
      )}
      {loop && console.looping.value && (
        <div class="wide">
          <small>Loop</small>
          <span class="num sm">
            {bars?.[0] && bars[1]
              ? `bars ${bars[0].bar} to ${bars[1].bar}`
              : `${clock(loop.start)} to ${clock(loop.end)}`}
          </span>
        </div>
      )}
      {alone && <span class="sr">{stemName(alone)} alone</span>}
    </div>
  );
}
