// Take away: a video of a stretch of the song, its stems, its notes and data, the mix as heard.

import { useState } from "preact/hooks";
import type { JobFile } from "../../api/client.ts";
import { bodyOf, fillOf } from "../../bodies.ts";
import { stemName } from "../../signals/catalogue.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Shape, Shapes } from "../parts/shape.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { fragmentOf } from "../route.ts";
import type { Console } from "../song/console.ts";
import { isHeard } from "../song/mix.ts";
import { toast } from "../toasts.ts";
import { counted, decibels, listed } from "../words.ts";
import { filesSize, stemFiles } from "./files.ts";
import { Saving, saveFiles, saveMixAsHeard, saveStems, saving } from "./saves.tsx";
import { usualVideo, Video } from "./video.tsx";
import "./take.css";

type Tab = "video" | "stems" | "data" | "mix";

const TABS: readonly (readonly [Tab, string])[] = [
  ["video", "Video"],
  ["stems", "Stems"],
  ["data", "MIDI and data"],
  ["mix", "Mix"],
];

export function Take({ console }: { console: Console }) {
  const [tab, go] = useState<Tab>("video");
  // Kept here, for the tab goes while something is saved: what was chosen is chosen still when it is cancelled.
  const [video, choose] = useState(() => usualVideo(console));
  const close = () => {
    location.hash = fragmentOf({ view: "stage", song: console.opened.id });
  };
  const tabs = <Tabs label="What to take" tabs={TABS} value={tab} panel="taken" onChange={go} />;
  return (
    <Dialog title="Take away" beside={tabs} class="take" onClose={close}>
      <div id="taken" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {saving.value ? (
          <div class="dialog-body">
            <Saving />
            <p class="sm mute take-words">Leave this tab open; another may be in front.</p>
          </div>
        ) : (
          <>
            {tab === "video" && (
              <Video console={console} options={video} onChange={(change) => choose({ ...video, ...change })} />
            )}
            {tab === "stems" && <Stems console={console} />}
            {tab === "data" && <Data console={console} />}
            {tab === "mix" && <MixTab console={console} />}
          </>
        )}
      </div>
    </Dialog>
  );
}

function Stems({ console }: { console: Console }) {
  const { files } = console.opened;
  const taken = console.stems.filter((stem) => console.mix.value[stem]?.taken);
  if (!console.hasSound && stemFiles(files, console.stems).length === 0)
    return <p class="dialog-body mute">This song came as MIDI: there is no sound of it to take.</p>;
  return (
    <div class="dialog-body col">
      <ul class="take-list">
        {console.stems.map((stem) => {
          const [file] = stemFiles(files, [stem]);
          return (
            <li key={stem}>
              <label class="row grow">
                <input
                  type="checkbox"
                  class="check"
                  checked={console.mix.value[stem]?.taken ?? false}
                  onChange={(event) => console.change(stem, { taken: event.currentTarget.checked })}
                />
                <Shape body={bodyOf(stem)} fill={fillOf(stem)} />
                <span class="ell">{stemName(stem)}</span>
              </label>
              {file && <FileLink console={console} file={file} />}
            </li>
          );
        })}
      </ul>
      <div class="row">
        <button
          type="button"
          class="key pri"
          aria-disabled={taken.length === 0}
          onClick={() => taken.length > 0 && void saveStems(console, taken)}
        >
          <Icon name="down" />
          {counted(taken.length, "stem")}, zip
          {filesSize(stemFiles(files, taken), ", ")}
        </button>
      </div>
    </div>
  );
}

const ABOUT: Readonly<Record<string, string>> = {
  "analysis.json": "Tempo, beats, key; onsets, hits and notes of each stem",
  "curves.bin": "Curves of each stem, a few bytes a frame",
  "song.mid": "Notes and hits, a track for each stem",
  "curves.csv": "The curves as a table",
  "curves.chan": "The curves for TouchDesigner and Houdini",
  "events.csv": "A row for each beat, onset, hit and note",
  "keyframes.json": "For After Effects and Blender",
  "song.jams": "All events, for music research",
};

function Data({ console }: { console: Console }) {
  const files = console.opened.files.filter(({ kind }) => kind === "analysis");
  if (files.length === 0)
    return <p class="dialog-body mute">This song was not analysed: beats and notes were not asked for.</p>;
  return (
    <div class="dialog-body col">
      <ul class="take-list">
        {files.map((file) => (
          <li key={file.name}>
            <div class="grow">
              <b>{file.name}</b>
              <div class="xs dim">
                {ABOUT[file.name] ?? (file.name.endsWith(".mid") ? "One stem, in one track" : "")}
              </div>
            </div>
            <FileLink console={console} file={file} />
          </li>
        ))}
      </ul>
      <div class="row">
        <button
          type="button"
          class="key pri"
          onClick={() => void saveFiles(console, `${console.opened.song.title} - data.zip`, files, [])}
        >
          <Icon name="down" />
          All {files.length}, zip
          {filesSize(files, ", ")}
        </button>
      </div>
    </div>
  );
}

/** A link to one file, asked for anew when it is clicked: those that were listed end. */
function FileLink({ console, file }: { console: Console; file: JobFile }) {
  const open = async () => {
    try {
      const found = (await console.opened.relist()).find(({ name }) => name === file.name);
      if (!found) throw new Error("It is not there any more.");
      const link = document.createElement("a");
      link.href = found.url;
      link.download = file.name;
      link.rel = "noopener";
      link.click();
    } catch (error) {
      toast({ title: `${file.name} cannot be had`, text: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <>
      <span class="xs dim num">{filesSize([file])}</span>
      <button type="button" class="key sml" aria-label={`Save ${file.name}`} onClick={() => void open()}>
        <Icon name="down" />
        {file.name.split(".").at(-1)?.toUpperCase()}
      </button>
    </>
  );
}

function MixTab({ console }: { console: Console }) {
  const mix = console.mix.value;
  const heard = console.stems.filter((stem) => isHeard(mix, stem));
  if (!console.hasSound) return <p class="dialog-body mute">This song came as MIDI: there is no sound of it to mix.</p>;
  const words = heard.map((stem) => {
    const gain = mix[stem]?.gain ?? 0;
    return gain === 0 ? stemName(stem).toLowerCase() : `${stemName(stem).toLowerCase()} at ${decibels(gain)} dB`;
  });
  return (
    <div class="dialog-body col">
      <Shapes stems={heard} size={24} />
      <p>
        {heard.length ? `As you hear it: ${listed(words)}.` : "Nothing is heard: all stems are muted."}{" "}
        <span class="mute">{console.looping.value ? "The loop alone." : "The whole song."} WAV, 16 bit.</span>
      </p>
      <div class="row">
        <button
          type="button"
          class="key pri"
          aria-disabled={heard.length === 0}
          onClick={() => heard.length > 0 && void saveMixAsHeard(console)}
        >
          <Icon name="down" />
          Mix as heard, WAV
        </button>
      </div>
    </div>
  );
}
