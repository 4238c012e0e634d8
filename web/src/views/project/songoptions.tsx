// The loadout of a single song, and the options that it has in common with stems of one's own.

import { BODIES } from "../../bodies.ts";
import { Field, Segments, Switch } from "../parts/controls.tsx";
import { Shape } from "../parts/shape.tsx";
import { listed } from "../words.ts";
import { BITRATES, FILE_NAMES, type Files, FRAME_RATES, kept, type Loadout, TEAMS, VARIANTS } from "./loadout.ts";

export interface OptionsProps {
  loadout: Loadout;
  onChange: (change: Partial<Loadout>) => void;
}

/** Models that the service has; an empty list is not known. */
export function SongOptions({ loadout, onChange, models }: OptionsProps & { models: readonly string[] }) {
  const { variant, without } = loadout;
  const left = kept(loadout);
  const sums = without.length
    ? `${listed(without.map((stem) => BODIES[stem as keyof typeof BODIES].name.toLowerCase()))} left out`
    : "all of them sum to the song";
  return (
    <>
      <Field name="Team" about="who comes out">
        <Segments
          class="team"
          label="Model"
          value={variant}
          onChange={(value) => onChange({ variant: value, without: [] })}
          choices={VARIANTS.map((value) => ({
            value,
            cannot: models.length > 0 && !models.includes(value) ? "This server has not that model" : undefined,
            name: (
              <>
                <span class="row">
                  {TEAMS[value].map((body) => (
                    <Shape key={body} body={body} size={value === "5stems" ? 16 : 18} />
                  ))}
                </span>
                {value[0]} stems
              </>
            ),
          }))}
        />
      </Field>
      <Field name="Keep" about={sums}>
        <div class="keep">
          {TEAMS[variant].map((body) => {
            const stays = left.includes(body);
            const last = stays && left.length === 1;
            return (
              <button
                key={body}
                type="button"
                aria-pressed={stays}
                aria-disabled={last}
                title={last ? "One has to stay" : undefined}
                onClick={() => {
                  if (last) return;
                  onChange({ without: stays ? [...without, body] : without.filter((name) => name !== body) });
                }}
              >
                <Shape body={body} size={16} fill={stays ? "full" : "hollow"} />
                {body === "accompaniment" ? "The rest" : BODIES[body].name}
              </button>
            );
          })}
        </div>
      </Field>
      <Field name="Hearing" about="how high the model listens">
        <Segments
          label="Hearing"
          value={loadout.bandwidth}
          onChange={(bandwidth) => onChange({ bandwidth })}
          choices={[
            { value: "11khz", name: "11 kHz, faster" },
            { value: "16khz", name: "16 kHz, finer" },
          ]}
        />
      </Field>
      <Field name="Above that" about="the top octave">
        <Segments
          label="Above that"
          value={loadout.above}
          onChange={(above) => onChange({ above })}
          choices={[
            { value: "average", name: "Share it out" },
            { value: "zeros", name: "Mute it" },
          ]}
        />
      </Field>
      <FileOptions loadout={loadout} onChange={onChange} />
      <AnalysisOptions loadout={loadout} onChange={onChange} about="After the stems" />
    </>
  );
}

function FileOptions({ loadout, onChange }: OptionsProps) {
  const formats = (["wav16", "wav24", "wav32", "flac", "mp3"] as const).map((value: Files) => ({
    value,
    name: FILE_NAMES[value],
  }));
  return (
    <>
      <Field name="Files">
        <Segments label="Files" value={loadout.files} onChange={(files) => onChange({ files })} choices={formats} />
      </Field>
      {loadout.files === "mp3" && (
        <Field name="Bitrate" about="kbit/s">
          <Segments
            label="Bitrate"
            value={loadout.bitrate}
            onChange={(bitrate) => onChange({ bitrate })}
            choices={BITRATES.map((value) => ({ value, name: value }))}
          />
        </Field>
      )}
    </>
  );
}

/** Sample rate, frames a second, and whether and what is listened for. */
export function AnalysisOptions({ loadout, onChange, about }: OptionsProps & { about: string }) {
  return (
    <>
      <div class="pair uneven">
        <Field name="Sample rate">
          <Segments
            label="Sample rate"
            value={loadout.sampleRate}
            onChange={(sampleRate) => onChange({ sampleRate })}
            choices={[
              { value: 44100, name: "44.1" },
              { value: 48000, name: "48 kHz" },
            ]}
          />
        </Field>
        <LightOption loadout={loadout} onChange={onChange} />
      </div>
      <div class="pair">
        <Switch
          name="Beats, light"
          about={about}
          on={loadout.analysis}
          onChange={(analysis) => onChange({ analysis })}
        />
        {loadout.analysis && (
          <Switch
            name="Notes, hits"
            about="For MIDI and most scenes"
            on={loadout.notes}
            onChange={(notes) => onChange({ notes })}
          />
        )}
      </div>
    </>
  );
}

export function LightOption({ loadout, onChange }: OptionsProps) {
  return (
    <Field name="Light" about="frames a second">
      <Segments
        label="Light, frames a second"
        value={loadout.fps}
        onChange={(fps) => onChange({ fps })}
        choices={FRAME_RATES.map((value) => ({ value, name: value }))}
      />
    </Field>
  );
}
