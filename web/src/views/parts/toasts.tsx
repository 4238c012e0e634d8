// The toasts that are shown, as one polite status.

import { useEffect, useRef, useState } from "preact/hooks";
import { dismiss, type Toast, toasts } from "../toasts.ts";
import { Icon } from "./icon.tsx";
import { Shapes } from "./shape.tsx";

const SECONDS = 8;

export function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map((toast) => (
        <One key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function One({ toast }: { toast: Toast }) {
  const { id, title, text, song, stems = [] } = toast;
  const [held, hold] = useState(false);
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => dismiss(id), SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [held, id]);
  return (
    <section
      ref={element}
      class="toast screen"
      aria-label={title}
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(element.current?.contains(document.activeElement) ?? false)}
      onFocusIn={() => hold(true)}
      onFocusOut={() => hold(false)}
    >
      <div class="row">
        {stems.length > 0 && <Shapes stems={stems.slice(0, 5)} />}
        <div class="grow">
          <div class="t4">{title}</div>
          {text && <div class="sm mute">{text}</div>}
        </div>
        <button type="button" class="key sml sq ghost" aria-label="Dismiss" onClick={() => dismiss(id)}>
          <Icon name="x" />
        </button>
      </div>
      {song && (
        <div class="row">
          <a class="key pri sml" href={`#/song/${song}/stage`} onClick={() => dismiss(id)}>
            Open the stage
          </a>
          <a class="key sml" href={`#/song/${song}/mix`} onClick={() => dismiss(id)}>
            Open the mixer
          </a>
        </div>
      )}
    </section>
  );
}
