// New project: choose how the music comes in, arm it, drop it.

import { useRef, useState } from "preact/hooks";
import { ENDED } from "../../api/client.ts";
import { MIDI_ENDINGS } from "../../api/sniff.ts";
import { Dots } from "../parts/dots.tsx";
import { Icon } from "../parts/icon.tsx";
import { jobs } from "../session.ts";
import { narrow } from "../settings.ts";
import { useKeys } from "../usekeys.ts";
import { clock, counted, size, wait } from "../words.ts";
import { hovering } from "./drop.tsx";
import { FIGHTERS, Fighters } from "./fighters.tsx";
import { type Loadout, summary, usual, WAYS, type Way } from "./loadout.ts";
import { MidiOptions } from "./midioptions.tsx";
import { bring, leave, limits, loadout, picks, refusals, send, title, way } from "./picks.ts";
import { SongOptions } from "./songoptions.tsx";
import { StemOptions } from "./stemoptions.tsx";
import { tookLately } from "./took.ts";
import "./fighters.css";
import "./loadout.css";
import "./project.css";

const ACCEPT: Readonly<Record<Way, string>> = {
  song: "audio/*,video/mp4,video/webm,.flac,.ogg,.m4a,.aiff",
  stems: "audio/*,.flac,.ogg,.m4a,.aiff",
  midi: [...MIDI_ENDINGS, "audio/midi"].join(),
};
const WANTED: Readonly<Record<Way, string>> = { song: "a song", stems: "stems", midi: "a .mid" };

let armed = false;

export function Project() {
  const picker = useRef<HTMLInputElement>(null);
  const [open, unfold] = useState(false);
  const at = way.value;
  if (!armed && limits.value.models.length > 0) {
    loadout.value = usual(limits.value.models);
    armed = true;
  }
  const change = (more: Partial<Loadout>) => {
    loadout.value = { ...loadout.value, ...more };
  };
  const took = Object.fromEntries(WAYS.map((each) => [each, tookLately(jobs.value, each)])) as Record<
    Way,
    number | null
  >;
  const facts = {
    loadout: loadout.value,
    limits: Number.isFinite(limits.value.bytes) ? limits.value : null,
    took,
    ahead: jobs.value.filter(({ status }) => !ENDED.has(status)).length,
  };
  const pick = () => picker.current?.click();
  const choose = (to: Way) => {
    if (to === way.peek()) return;
    way.value = to;
    picks.value = [];
    title.value = "";
  };
  useKeys({ KeyL: toLoadout });
  const shown = !narrow.value || open;
  return (
    <main class="project" id="main">
      <div class="project-head">
        <h1 class="ink-dots" tabIndex={-1}>
          <Dots text="Choose your fighter" pitch={narrow.value ? 3 : 5} unlit={false} round />
        </h1>
        <p class="mute sm wide">
          How does the music come in? Drop it anywhere: a song picks Single song, several audio files ask which, a .mid
          picks MIDI.
        </p>
      </div>
      <div class="project-grid">
        <Fighters chosen={at} facts={facts} hovered={hovering.value !== null} onChoose={choose} onOpen={pick} />
        <section class="loadout" aria-label={`Loadout for ${FIGHTERS[at].name}`}>
          <div class="row between">
            <h2 class="t3">
              Loadout <span class="sm dim wide">for {FIGHTERS[at].name}</span>
            </h2>
            {narrow.value ? (
              <button type="button" class="key sml ghost" aria-expanded={open} onClick={() => unfold(!open)}>
                {summary(at, loadout.value)}
                <Icon name="caret" />
              </button>
            ) : (
              <button type="button" class="key sml ghost" onClick={() => change(usual(limits.value.models))}>
                Reset
              </button>
            )}
          </div>
          {shown && at === "song" && (
            <SongOptions loadout={loadout.value} onChange={change} models={limits.value.models} />
          )}
          {(shown || picks.value.length > 0) && at === "stems" && (
            <StemOptions loadout={loadout.value} onChange={change} chosen={picks.value} refused={refusals.value.each} />
          )}
          {(shown || picks.value.length > 0) && at === "midi" && (
            <MidiOptions loadout={loadout.value} onChange={change} chosen={picks.value} />
          )}
          <span class="grow wide" />
          {at !== "stems" && picks.value.length > 0 && <Chosen />}
          <Launch way={at} seconds={took[at]} onPick={pick} />
        </section>
      </div>
      <input
        ref={picker}
        class="sr"
        type="file"
        tabIndex={-1}
        aria-label={`Choose ${WANTED[at]}`}
        multiple
        accept={ACCEPT[at]}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          if (files.length) void bring(files, at);
        }}
      />
    </main>
  );
}

/** Put the focus on the first choice of the loadout. */
function toLoadout(): void {
  const find = (what: string) => document.querySelector<HTMLElement>(`.loadout ${what}`);
  (find("input:checked") ?? find("input, select") ?? find("button"))?.focus();
}

/** Songs that are chosen, with what the service would refuse. */
function Chosen() {
  return (
    <ul class="parts">
      {picks.value.map(({ looked: { file, seconds } }, place) => {
        const refusal = refusals.value.each.get(place);
        return (
          <li key={`${place}-${file.name}`}>
            <div class="grow">
              <div class="sm ell">{file.name}</div>
              <div class={refusal ? "xs warn" : "xs dim num"} role={refusal ? "alert" : undefined}>
                {refusal?.message ?? `${seconds === null ? "" : `${clock(seconds)}, `}${size(file.size)}`}
              </div>
            </div>
            <button
              type="button"
              class="key sml sq ghost"
              aria-label={`Leave out ${file.name}`}
              onClick={() => leave(place)}
            >
              <Icon name="x" />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** Where files are dropped, and then where they are sent from. */
function Launch({ way: at, seconds, onPick }: { way: Way; seconds: number | null; onPick: () => void }) {
  const chosen = picks.value.length;
  const { each, all } = refusals.value;
  const fit = at === "stems" && (each.size > 0 || all) ? 0 : chosen - each.size;
  const estimate = seconds === null ? "No estimate yet" : `≈ ${wait(seconds)}, as your latest took`;
  const what = at === "song" ? counted(fit, "song") : at === "stems" ? counted(chosen, "stem") : `${fit} MIDI`;
  return (
    <div class="launch">
      {chosen === 0 && (
        <span class="wide">
          <Icon name="drop" size={26} />
        </span>
      )}
      <div class="sm grow wide">
        <b>{chosen ? what : `Drop ${at === "stems" ? "your stems" : WANTED[at].replace("a ", "the ")}`}</b>
        <div class="dim xs">{all?.message ?? estimate}</div>
      </div>
      {chosen > 0 && (
        <button type="button" class="key" onClick={onPick}>
          {at === "stems" ? "Add" : "Another"}
        </button>
      )}
      {chosen > 0 ? (
        <button
          type="button"
          class="key pri"
          aria-disabled={fit === 0}
          title={fit === 0 ? "Nothing here can be sent" : undefined}
          onClick={send}
        >
          Send {what}
        </button>
      ) : (
        <button type="button" class="key pri" onClick={onPick}>
          Choose {narrow.value ? WANTED[at] : at === "stems" ? "files" : "file"}
        </button>
      )}
    </div>
  );
}
