// A key that opens a small panel beside it. Escape, a click elsewhere or going on by Tab closes it.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  /** What is on the key, and its name if that is not enough. */
  children: ComponentChildren;
  label?: string;
  keyClass?: string;
  class?: string;
  panelClass?: string;
  /** The panel's name. */
  title: string;
  /** What is in the panel; `close` closes it. */
  panel: (close: () => void) => ComponentChildren;
}

export function Menu({ children, label, keyClass = "key sml", panelClass = "", title, panel, ...rest }: Props) {
  const [open, show] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  const close = () => show(false);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => {
      if (!element.current?.contains(event.target as Node)) show(false);
    };
    const escaped = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      show(false);
      element.current?.querySelector<HTMLElement>("button")?.focus();
    };
    addEventListener("pointerdown", away);
    addEventListener("focusin", away);
    addEventListener("keydown", escaped);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("focusin", away);
      removeEventListener("keydown", escaped);
    };
  }, [open]);
  return (
    <div class={`menu ${rest.class ?? ""}`} ref={element}>
      <button
        type="button"
        class={keyClass}
        aria-expanded={open}
        {...(label ? { "aria-label": label } : {})}
        onClick={() => show(!open)}
      >
        {children}
      </button>
      {open && (
        <section class={`panel ${panelClass}`} aria-label={title}>
          {panel(close)}
        </section>
      )}
    </div>
  );
}
