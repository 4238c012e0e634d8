// Controls that are pressed, chosen or slid, on the browser's own elements: their keys and roles come with them.

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** A label in words, with a remark, over a control or a group of them. */
export function Field({ name, about, children }: { name: string; about?: string; children: ComponentChildren }) {
  const id = useId();
  return (
    <fieldset class="field" aria-labelledby={id}>
      <span class="what">
        <span id={id}>{name}</span> {about && <em>{about}</em>}
      </span>
      {children}
    </fieldset>
  );
}

export interface Choice<T> {
  readonly value: T;
  readonly name: ComponentChildren;
  /** Why it cannot be chosen. */
  readonly cannot?: string | undefined;
}

interface SegmentsProps<T> {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onChange: (value: T) => void;
  class?: string;
}

/** One of a few. */
export function Segments<T extends string | number>(props: SegmentsProps<T>) {
  const group = useId();
  return (
    <div class={props.class ?? "seg"} role="radiogroup" aria-label={props.label}>
      {props.choices.map(({ value, name, cannot }) => (
        <label key={value} {...(cannot ? { title: cannot } : {})}>
          <input
            class="sr"
            type="radio"
            name={group}
            value={value}
            checked={value === props.value}
            disabled={cannot !== undefined}
            onChange={() => props.onChange(value)}
          />
          {name}
        </label>
      ))}
    </div>
  );
}

interface SwitchProps {
  name: string;
  about?: ComponentChildren;
  on: boolean;
  onChange: (on: boolean) => void;
}

/** On or off, with words beside it. */
export function Switch({ name, about, on, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div class="row switch-row">
      <button
        type="button"
        class="switch"
        role="switch"
        aria-checked={on}
        aria-labelledby={id}
        onClick={() => onChange(!on)}
      />
      <div class="sm">
        <b id={id}>{name}</b>
        {about && <div class="dim xs">{about}</div>}
      </div>
    </div>
  );
}

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  /** The value in words. */
  words: string;
  onInput: (value: number) => void;
  class?: string;
}

export function Slider({ label, value, min, max, step, words, onInput, ...rest }: SliderProps) {
  const share = (value - min) / (max - min);
  return (
    <input
      type="range"
      class={`slider ${rest.class ?? ""}`}
      aria-label={label}
      aria-valuetext={words}
      {...{ min, max, step, value }}
      style={{ "--v": `${share * 100}%` }}
      onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
    />
  );
}

interface NumberProps {
  label: string;
  value: number | null;
  min: number;
  max: number;
  step: number;
  placeholder?: string;
  onChange: (value: number | null) => void;
}

/** A number, or none where the field is empty; what is out of bounds is put at the bound. */
export function NumberBox({ label, value, min, max, step, placeholder, onChange }: NumberProps) {
  return (
    <input
      type="number"
      class="box num"
      aria-label={label}
      {...{ min, max, step }}
      value={value ?? ""}
      {...(placeholder ? { placeholder } : {})}
      onChange={(event) => {
        const typed = event.currentTarget.valueAsNumber;
        onChange(Number.isNaN(typed) ? null : Math.min(max, Math.max(min, typed)));
      }}
    />
  );
}
