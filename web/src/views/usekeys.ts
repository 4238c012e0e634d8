// Listens for keys while a view is there.

import { useEffect, useRef } from "preact/hooks";
import { type KeyMap, nameOf } from "./keys.ts";
import { settings } from "./settings.ts";

/** Have keys do what the map says, while the view is there. */
export function useKeys(map: KeyMap): void {
  const latest = useRef(map);
  latest.current = map;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (!settings.value.keys || document.querySelector("dialog[open]")) return;
      const target = event.target instanceof HTMLElement ? event.target : document.body;
      const { tagName, isContentEditable } = target;
      const type = target instanceof HTMLInputElement ? target.type : "";
      const role = target.getAttribute("role") ?? "";
      const name = nameOf(event, { tag: tagName, type, role, editable: isContentEditable });
      const run = name === null ? undefined : latest.current[name];
      if (!run) return;
      event.preventDefault();
      run();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
