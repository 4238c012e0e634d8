// The loadout of stems of one's own: a role for every file, and what is listened for.

import type { Refusal } from "../../api/errors.ts";
import { bodyOf, fillOf } from "../../bodies.ts";
import { Field } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { Shape } from "../parts/shape.tsx";
import { ROLES, stemNames } from "./loadout.ts";
import { leave, picks, title } from "./picks.ts";
import type { Pick } from "./requests.ts";
import { AnalysisOptions, type OptionsProps } from "./songoptions.tsx";

interface Props extends OptionsProps {
  chosen: readonly Pick[];
  refused: ReadonlyMap<number, Refusal>;
}

export function StemOptions({ chosen, refused, loadout, onChange }: Props) {
  const names = stemNames(chosen.map(({ role }) => role));
  return (
    <>
      <Field name="Title" about="what files are named after">
        <input
          class="box"
          type="text"
          maxLength={200}
          aria-label="Title"
          value={title.value}
          placeholder={chosen[0]?.looked.file.name ?? "Untitled"}
          onInput={(event) => {
            title.value = event.currentTarget.value;
          }}
        />
      </Field>
      <Field name="Roles" about={chosen.length ? `${chosen.length} of 16 files` : "guessed from the names of files"}>
        {chosen.length === 0 && <p class="sm dim">A file called “lead vox” is vocals. You can say otherwise.</p>}
        <ul class="parts">
          {chosen.map(({ looked, role }, place) => {
            const name = names[place] ?? role;
            const refusal = refused.get(place);
            return (
              <li key={`${place}-${looked.file.name}`}>
                <Shape body={bodyOf(role)} fill={fillOf(name)} size={18} />
                <div class="grow">
                  <div class="sm ell">{looked.file.name}</div>
                  {refusal && <div class="xs warn">{refusal.message}</div>}
                </div>
                <select
                  class="box role"
                  aria-label={`Role of ${looked.file.name}`}
                  value={role}
                  onChange={(event) => {
                    const role = event.currentTarget.value;
                    picks.value = picks.value.map((pick, at) => (at === place ? { ...pick, role } : pick));
                  }}
                >
                  {ROLES.map((each) => (
                    <option key={each} value={each}>
                      {each}
                    </option>
                  ))}
                </select>
                <button
                  type="button"
                  class="key sml sq ghost"
                  aria-label={`Leave out ${looked.file.name}`}
                  onClick={() => leave(place)}
                >
                  <Icon name="x" />
                </button>
              </li>
            );
          })}
        </ul>
      </Field>
      <AnalysisOptions loadout={loadout} onChange={onChange} about="What scenes are drawn from" />
    </>
  );
}
