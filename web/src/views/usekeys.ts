// Listens for keys while a view is there.

import { useLayoutEffect, useRef } from "preact/hooks";
import { type Focus, type KeyMap, nameOf } from "./keys.ts";
import { settings } from "./settings.ts";

/** Have keys do what the map says, while the view is there. */
export function useKeys(map: KeyMap): void {
  const latest = useRef(map);
  latest.current = map;
  // Before the view is seen: no key is lost that somebody presses at once.
  useLayoutEffect(() => {
    const taken = new Set<string>();
    // Asked when the focus comes: as soon as any key is pressed, browsers show it wherever it is.
    let isClicked = false;
    const pressed = (event: KeyboardEvent) => {
      if (!settings.value.keys || document.querySelector("dialog[open]")) return;
      const target = event.target instanceof HTMLElement ? event.target : document.body;
      const name = nameOf(event, focusOf(target, !isClicked));
      const run = name === null ? undefined : latest.current[name];
      if (!run) return;
      event.preventDefault();
      taken.add(event.code);
      run();
    };
    // Some browsers press a button when its key is let go, whatever became of it before.
    const released = (event: KeyboardEvent) => {
      if (taken.delete(event.code)) event.preventDefault();
    };
    const end = new AbortController();
    const { signal } = end;
    addEventListener("keydown", pressed, { signal });
    addEventListener("keyup", released, { signal });
    addEventListener(
      "pointerdown",
      () => {
        isClicked = true;
      },
      { signal },
    );
    addEventListener(
      "focusin",
      ({ target }) => {
        isClicked = target instanceof Element && !target.matches(":focus-visible");
      },
      { signal },
    );
    return () => end.abort();
  }, []);
}

function focusOf(target: HTMLElement, shown: boolean): Focus {
  return {
    tag: target.tagName,
    type: target instanceof HTMLInputElement ? target.type : "",
    role: target.getAttribute("role") ?? "",
    editable: target.isContentEditable,
    shown,
  };
}
