// A video of a stretch of the song: its size and rate, what file this browser can make of it, and what it will sound of.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { VideoFormat } from "../../export/formats.ts";
import { show } from "../../scenes/show.ts";
import { Signals } from "../../signals/signals.ts";
import { Field, Segments, Switch } from "../parts/controls.tsx";
import { set, settings } from "../settings.ts";
import type { Console, Stretch } from "../song/console.ts";
import { bindings, scene } from "../stage/kept.ts";
import { Picture } from "../stage/picture.tsx";
import { clock, counted, listed } from "../words.ts";
import { Range } from "./range.tsx";
import { gainsOf, save } from "./saves.tsx";
import { LINES, type Lines, RATES, type Rate, SHAPES, type Shape, sizeOf, sizeWords } from "./size.ts";

type Sound = "mix" | "song" | "none";

/** What of a video is chosen. */
export interface VideoOptions {
  readonly shape: Shape;
  readonly lines: Lines;
  readonly fps: Rate;
  readonly container: VideoFormat["container"];
  readonly sound: Sound;
  readonly range: Stretch;
}

/** What is chosen to begin with: the loop, if it is on, or the whole song. */
export function usualVideo(console: Console): VideoOptions {
  const loop = console.looping.peek() ? console.loop.peek() : null;
  return {
    shape: "16:9",
    lines: 1080,
    fps: console.opened.song.analysis?.curves?.fps ?? 30,
    container: "webm",
    sound: console.hasSound ? "mix" : "none",
    range: loop ?? { start: 0, end: console.duration },
  };
}

const NAMES = { webm: "WebM", mp4: "MP4", vp9: "VP9", vp8: "VP8", avc: "H.264", opus: "Opus", aac: "AAC" } as const;

interface Props {
  console: Console;
  options: VideoOptions;
  onChange: (change: Partial<VideoOptions>) => void;
}

export function Video({ console, options, onChange }: Props) {
  const { song } = console.opened;
  const { shape, lines, fps, sound, range } = options;
  const { width, height } = sizeOf(shape, lines);
  const formats = useFormats(width, height, fps);
  const format = formats?.find(({ container }) => container === options.container) ?? formats?.[0] ?? null;
  const limit = settings.value.limiter;
  const signals = useMemo(() => new Signals(song), [song]);
  const [on, bound] = [scene.value, bindings.value];
  const shown = useMemo(() => show(on, signals, bound, { limit }), [on, signals, bound, limit]);
  const first = useMemo(() => () => range.start, [range.start]);
  const frames = Math.max(1, Math.round((range.end - range.start) * fps));

  const render = () => {
    if (!format) return;
    const chosen = sound === "none" ? { ...format, sound: null } : format;
    const gains = sound === "mix" ? gainsOf(console) : {};
    void save({
      what: "The video",
      name: `${song.title} - ${on.name}.${format.container}`,
      stems: console.stems,
      frames,
      async run(destination, work) {
        const { saveVideo } = await import("../../export/video.ts");
        const view = { width, height, inset: 0, transparent: false, still: false };
        await saveVideo(
          {
            format: chosen,
            width,
            height,
            fps,
            ...range,
            draw: (g, seconds) => shown.draw(g, seconds, view),
            sources: console.opened.sources,
            gains,
          },
          destination,
          work,
        );
        return `${counted(frames, "frame")}, ${width} × ${height}`;
      },
    });
  };

  return (
    <>
      <div class="dialog-body take-video">
        <div>
          <Picture
            show={shown}
            time={first}
            rate={0}
            class={`take-preview shape-${shape.replace(":", "-")}`}
            label={`First frame of the range, scene ${on.name}`}
          />
          <Range console={console} range={range} onChange={(range) => onChange({ range })} />
        </div>
        <div class="col take-options">
          <Field name="Size">
            <Segments
              label="Size"
              value={lines}
              onChange={(lines) => onChange({ lines })}
              choices={LINES.map((value) => ({ value, name: sizeWords(shape, value) }))}
            />
          </Field>
          <Field name="Shape">
            <Segments
              label="Shape"
              value={shape}
              onChange={(shape) => onChange({ shape })}
              choices={SHAPES.map((value) => ({ value, name: value }))}
            />
          </Field>
          <Field name="Frames a second">
            <Segments
              label="Frames a second"
              value={fps}
              onChange={(fps) => onChange({ fps })}
              choices={RATES.map((value) => ({ value, name: value }))}
            />
          </Field>
          <Field name="File" about="as this browser can">
            {formats === null && <p class="sm dim">Asking the browser</p>}
            {formats?.length === 0 && (
              <p class="sm">This browser cannot make videos of this size. Chrome and Edge can.</p>
            )}
            {formats && formats.length > 0 && (
              <Segments
                label="File"
                value={format?.container ?? "webm"}
                onChange={(container) => onChange({ container })}
                choices={formats.map((each) => ({ value: each.container, name: nameOf(each) }))}
              />
            )}
          </Field>
          {format && <Warning format={format} formats={formats ?? []} sound={sound} />}
          <Field name="Sound">
            <Segments
              label="Sound"
              value={sound}
              onChange={(sound) => onChange({ sound })}
              choices={(
                [
                  ["mix", "Mix as heard"],
                  ["song", "All stems"],
                  ["none", "None"],
                ] as const
              ).map(([value, name]) => ({
                value,
                name,
                cannot: value !== "none" && !console.hasSound ? "This song came as MIDI: it has no sound" : undefined,
              }))}
            />
          </Field>
          <Switch name="Flash limiter" about="as on stage" on={limit} onChange={(limiter) => set({ limiter })} />
        </div>
      </div>
      <div class="dialog-foot">
        <div class="grow sm">
          <b class="num">
            {counted(frames, "frame")}, {clock(range.end - range.start, 2)}
          </b>
          <div class="dim">Frame by frame, so nothing drops. Leave this tab open; another may be in front.</div>
        </div>
        <button
          type="button"
          class="key pri"
          aria-disabled={format === null}
          title={format === null ? "This browser cannot make such a video" : undefined}
          onClick={render}
        >
          Render video
        </button>
      </div>
    </>
  );
}

function nameOf({ container, video, sound }: VideoFormat): string {
  return `${NAMES[container]}, ${listed([NAMES[video], ...(sound ? [NAMES[sound]] : [])]).replace(" and ", " + ")}`;
}

/** What is to be known before a video is made: never a silent one by surprise. */
function Warning({ format, formats, sound }: { format: VideoFormat; formats: readonly VideoFormat[]; sound: Sound }) {
  if (sound === "none") return null;
  const { container, sound: codec } = format;
  const better = formats.find((each) => each !== format && each.sound !== null);
  const words =
    codec === null
      ? [
          `${NAMES[container]} would be silent here.`,
          `This browser has no encoder of sound for it.${better ? ` ${NAMES[better.container]} carries the sound.` : ""}`,
        ]
      : container === "mp4" && codec === "opus"
        ? [
            "MP4 may be silent elsewhere.",
            "This browser has no AAC encoder, and some players know no Opus in MP4. WebM carries the sound; YouTube and editors take it.",
          ]
        : null;
  if (!words) return null;
  return (
    <div class="take-note" role="status">
      <i class="hatch" />
      <div>
        <b>{words[0]}</b> <span class="mute">{words[1]}</span>
      </div>
    </div>
  );
}

/** What this browser can make; null until it has said. */
function useFormats(width: number, height: number, fps: number): readonly VideoFormat[] | null {
  const [formats, show] = useState<readonly VideoFormat[] | null>(null);
  useEffect(() => {
    let wanted = true;
    void (async () => {
      const { possibleFormats } = await import("../../export/formats.ts");
      const found = await possibleFormats({ width, height, fps }).catch(() => []);
      if (wanted) show(found);
    })();
    return () => {
      wanted = false;
    };
  }, [width, height, fps]);
  return formats;
}
