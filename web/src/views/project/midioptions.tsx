// The loadout of MIDI: its parts as they are read, with a role for each, and every option that the service has.

import { useEffect, useState } from "preact/hooks";
import { Refusal } from "../../api/errors.ts";
import { BODIES, bodyOf } from "../../bodies.ts";
import { Canvas } from "../parts/canvas.tsx";
import { Field, NumberBox, Segments, Slider, Switch } from "../parts/controls.tsx";
import { Shape } from "../parts/shape.tsx";
import { clock, counted } from "../words.ts";
import { GRIDS, type Loadout, type MidiChoices, ROLES } from "./loadout.ts";
import type { Pick } from "./requests.ts";
import type { Part, Score } from "./smf.ts";
import { LightOption } from "./songoptions.tsx";

interface Props {
  chosen: readonly Pick[];
  loadout: Loadout;
  onChange: (change: Partial<Loadout>) => void;
}

export function MidiOptions({ chosen, loadout, onChange }: Props) {
  const { midi } = loadout;
  const change = (more: Partial<MidiChoices>) => onChange({ midi: { ...midi, ...more } });
  const read = useScore(chosen, midi.splitChannels);
  return (
    <>
      <Parts read={read} midi={midi} onChange={change} />
      <div class="pair">
        <Field name="Tempo" about="BPM">
          <NumberBox
            label="Tempo in BPM"
            value={midi.tempo}
            min={10}
            max={1000}
            step={0.1}
            placeholder={read.score ? `${read.score.bpm.toFixed(1)}, its own` : "its own"}
            onChange={(tempo) => change({ tempo })}
          />
        </Field>
        <Field name="Transpose" about="semitones">
          <NumberBox
            label="Transpose by semitones"
            value={midi.transpose}
            min={-48}
            max={48}
            step={1}
            onChange={(value) => change({ transpose: Math.round(value ?? 0) })}
          />
        </Field>
        <Field name="Offset" about="seconds later">
          <NumberBox
            label="Offset in seconds"
            value={midi.offset}
            min={-600}
            max={600}
            step={0.01}
            onChange={(value) => change({ offset: value ?? 0 })}
          />
        </Field>
        <Field name="Shortest" about="seconds">
          <NumberBox
            label="Shortest note in seconds"
            value={midi.shortest}
            min={0}
            max={1}
            step={0.005}
            onChange={(value) => change({ shortest: value ?? 0.03 })}
          />
        </Field>
      </div>
      <Field name="Quantise" about="starts on the grid">
        <Segments
          label="Quantise"
          value={midi.quantise ?? 0}
          onChange={(value) => change({ quantise: GRIDS.find((grid) => grid === value) ?? null })}
          choices={[{ value: 0, name: "As played" }, ...GRIDS.map((value) => ({ value, name: `1/${value}` }))]}
        />
      </Field>
      <Field
        name="Velocity"
        about={
          midi.velocityCurve < 1 ? "quiet notes are lifted" : midi.velocityCurve > 1 ? "quiet notes sink" : "as played"
        }
      >
        <Slider
          label="Power of velocities"
          value={midi.velocityCurve}
          min={0.25}
          max={4}
          step={0.05}
          words={`to the power of ${midi.velocityCurve}`}
          onInput={(velocityCurve) => change({ velocityCurve })}
        />
      </Field>
      <div class="pair">
        <Switch name="Pedal holds notes" on={midi.sustain} onChange={(sustain) => change({ sustain })} />
        <Switch
          name="Channels are parts"
          on={midi.splitChannels}
          onChange={(splitChannels) => change({ splitChannels, roles: {} })}
        />
      </div>
      <LightOption loadout={loadout} onChange={onChange} />
    </>
  );
}

interface Read {
  readonly score: Score | null;
  readonly problem: string | null;
}

/** The first file that is chosen, read; the reader's script comes with the first file. */
function useScore(chosen: readonly Pick[], split: boolean): Read {
  const [read, show] = useState<Read>({ score: null, problem: null });
  const file = chosen[0]?.looked.file;
  useEffect(() => {
    let wanted = true;
    show({ score: null, problem: null });
    if (!file) return;
    void (async () => {
      const [{ readScore }, bytes] = await Promise.all([import("./smf.ts"), file.arrayBuffer()]);
      if (!wanted) return;
      try {
        show({ score: readScore(new Uint8Array(bytes), split), problem: null });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        show({ score: null, problem: error.message });
      }
    })();
    return () => {
      wanted = false;
    };
  }, [file, split]);
  return read;
}

const keyOf = ({ track, channel }: Part) => (channel === null ? String(track) : `${track}:${channel}`);

function Parts({
  read,
  midi,
  onChange,
}: {
  read: Read;
  midi: MidiChoices;
  onChange: (more: Partial<MidiChoices>) => void;
}) {
  const { score, problem } = read;
  const about = score
    ? `format ${score.format}, ${clock(score.seconds)}, ${score.bpm.toFixed(1)} BPM${score.rubato ? " at first" : ""}`
    : "";
  return (
    <Field name="Parts" about={about}>
      {problem && <p class="sm warn">{problem}</p>}
      {!score && !problem && <p class="sm dim">Drop a .mid to see its parts, and say whose they are.</p>}
      {score?.parts.length === 0 && <p class="sm warn">There are no notes in this file.</p>}
      <ul class="parts">
        {score?.parts.map((part) => {
          const key = keyOf(part);
          const role = midi.roles[key] ?? part.role;
          return (
            <li key={key}>
              <Shape body={bodyOf(role)} fill={role === "ignore" ? "hollow" : "full"} size={18} />
              <div class="grow">
                <div class="sm ell">{part.name || `Track ${part.track}`}</div>
                <div class="xs dim num">
                  {part.channel === null ? "" : `channel ${part.channel}, `}
                  {counted(part.notes, "note")}
                </div>
              </div>
              <Marks part={part} role={role} />
              <select
                class="box role"
                aria-label={`Role of ${part.name || `track ${part.track}`}${part.channel === null ? "" : `, channel ${part.channel}`}`}
                value={role}
                onChange={(event) => {
                  const { [key]: _, ...rest } = midi.roles;
                  const said = event.currentTarget.value;
                  onChange({ roles: said === part.role ? rest : { ...rest, [key]: said } });
                }}
              >
                {[...ROLES, "ignore"].map((each) => (
                  <option key={each} value={each}>
                    {each === "ignore" ? "leave out" : each}
                  </option>
                ))}
              </select>
            </li>
          );
        })}
      </ul>
    </Field>
  );
}

/** A part's notes, small. */
function Marks({ part, role }: { part: Part; role: string }) {
  const pitches = part.marks.map(({ pitch }) => pitch);
  const low = Math.min(...pitches);
  const range = Math.max(1, Math.max(...pitches) - low);
  return (
    <Canvas
      class="marks"
      aria-hidden="true"
      draw={(g, width, height) => {
        g.fillStyle = role === "ignore" ? "#94989F" : BODIES[bodyOf(role)].color;
        for (const { at, pitch } of part.marks)
          g.fillRect(at * (width - 3), (1 - (pitch - low) / range) * (height - 3), 3, 2);
      }}
    />
  );
}
