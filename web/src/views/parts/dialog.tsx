// A dialog of the browser's own, which keeps the focus in and gives it back; on a phone a sheet from below.

import { computed, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";
import { Toasts } from "./toasts.tsx";

/** Those that are open, the topmost last. What is outside of it is dimmed and cannot be pressed. */
const open = signal<readonly string[]>([]);

export const isCovered = computed(() => open.value.length > 0);

interface Props {
  title: string;
  /** Between the title and the key that closes it. */
  beside?: ComponentChildren;
  class?: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, beside, onClose, children, ...rest }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    dialog?.showModal();
    open.value = [...open.peek(), heading];
    return () => {
      open.value = open.peek().filter((each) => each !== heading);
      dialog?.close(); // while it is open, nothing outside of it takes the focus
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={rest.class ?? ""}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div class="dialog-head">
        <h1 class="t2" id={heading} tabIndex={-1} autofocus>
          {title}
        </h1>
        {beside}
        <span class="grow" />
        <button type="button" class="key ghost sq" aria-label="Close" onClick={onClose}>
          <Icon name="x" />
        </button>
      </div>
      {children}
      {open.value.at(-1) === heading && <Toasts />}
    </dialog>
  );
}
