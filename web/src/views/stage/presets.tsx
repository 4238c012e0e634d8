// Presets: choose one, keep what is bound now, give it away as a file, take one in.

import { useState } from "preact/hooks";
import { PRESETS } from "../../scenes/presets.ts";
import { Icon } from "../parts/icon.tsx";
import { Menu } from "../parts/menu.tsx";
import { toast } from "../toasts.ts";
import { asFile, choose, chosen, forget, fromFile, isChanged, keep, own } from "./kept.ts";

export function PresetMenu() {
  const [name, call] = useState("");
  const save = async () => {
    const { download } = await import("../../export/destination.ts");
    const { name, text } = asFile();
    download(new Blob([text], { type: "application/json" }), name);
  };
  const load = () => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "application/json,.json";
    input.onchange = async () => {
      const why = fromFile((await input.files?.[0]?.text()) ?? "");
      if (why) toast({ title: "That preset cannot be taken", text: why });
    };
    input.click();
  };
  return (
    <Menu
      title="Presets"
      class="preset"
      panelClass="screen"
      panel={() => (
        <>
          <div class="preset-list" role="radiogroup" aria-label="Preset">
            {[...PRESETS, ...own.value].map((preset) => (
              <div key={preset.name} class="row">
                <label class="row grow">
                  <input
                    type="radio"
                    name="preset"
                    checked={preset.name === chosen.value.name}
                    onChange={() => choose(preset)}
                  />
                  <span class="ell">{preset.name}</span>
                </label>
                {own.value.includes(preset) && (
                  <button
                    type="button"
                    class="key sml sq ghost"
                    aria-label={`Forget ${preset.name}`}
                    onClick={() => forget(preset.name)}
                  >
                    <Icon name="x" />
                  </button>
                )}
              </div>
            ))}
          </div>
          {isChanged.value && (
            <button type="button" class="key sml" onClick={() => choose(chosen.value)}>
              Back to {chosen.value.name}
            </button>
          )}
          <form
            class="row"
            onSubmit={(event) => {
              event.preventDefault();
              if (name.trim()) keep(name);
              call("");
            }}
          >
            <input
              class="box"
              type="text"
              maxLength={60}
              aria-label="Name of a preset to keep"
              placeholder="Keep it as"
              value={name}
              onInput={(event) => call(event.currentTarget.value)}
            />
            <button type="submit" class="key sml">
              Keep
            </button>
          </form>
          <div class="row">
            <button type="button" class="key sml" onClick={() => void save()}>
              Save as a file
            </button>
            <button type="button" class="key sml" onClick={load}>
              Open a file
            </button>
          </div>
        </>
      )}
    >
      <span class="ell">
        Preset: {chosen.value.name}
        {isChanged.value ? ", changed" : ""}
      </span>
      <Icon name="caret" />
    </Menu>
  );
}
