// Music may be dropped anywhere on the page. While it hovers, a layer says where it will go.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../parts/dialog.tsx";
import { Dots } from "../parts/dots.tsx";
import { routeOf } from "../route.ts";
import { signIn, state } from "../session.ts";
import { toast } from "../toasts.ts";
import type { Way } from "./loadout.ts";

/** How many files hover; null while none do. */
export const hovering = signal<number | null>(null);

export function DropLayer() {
  const [asked, ask] = useState<readonly File[] | null>(null);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      hovering.value = event.dataTransfer.items.length;
    };
    const out = (event: DragEvent) => {
      if (event.relatedTarget === null) hovering.value = null;
    };
    const drop = (event: DragEvent) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      hovering.value = null;
      if (files.length === 0) return;
      event.preventDefault();
      if (state.peek() !== "in") {
        toast({ title: "Sign in first", text: "Then drop it again: nothing is kept here before." });
        void (state.peek() === "out" && signIn("#/new"));
        return;
      }
      void received(files, null).then((unknown) => ask(unknown.length > 0 ? unknown : null));
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", out);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", out);
      removeEventListener("drop", drop);
    };
  }, []);
  return (
    <>
      {hovering.value !== null && <Layer files={hovering.value} />}
      {asked && (
        <Ask
          files={asked}
          onAnswer={(to) => {
            ask(null);
            if (to) void received(asked, to);
          }}
        />
      )}
    </>
  );
}

/** Take files to a card, or to the one where they belong; returns those of which that must be asked. */
async function received(files: readonly File[], to: Way | null): Promise<readonly File[]> {
  try {
    const { bring, take, way } = await import("./picks.ts");
    if (!to) return await take(files, routeOf(location.hash).view === "new" ? way.peek() : null);
    await bring(files, to);
  } catch {
    toast({ title: "The files were not taken", text: "A part of the page did not come. Load it again." });
  }
  return [];
}

function Layer({ files }: { files: number }) {
  const words = files > 1 ? `These ${files} files: one song’s stems, or ${files} songs?` : "Let go: it finds its card";
  return (
    <div class="drop-layer screen" aria-hidden="true">
      <div class="col">
        <Dots text="Let go" pitch={8} unlit={false} round />
        <p class="t3">{words}</p>
      </div>
    </div>
  );
}

function Ask({ files, onAnswer }: { files: readonly File[]; onAnswer: (to: Way | null) => void }) {
  const [titles] = useState(() => files.map(({ name }) => name));
  return (
    <Dialog title={`These ${files.length} files`} onClose={() => onAnswer(null)}>
      <div class="dialog-body col">
        <ul class="sm mute names">
          {titles.map((name) => (
            <li key={name} class="ell">
              {name}
            </li>
          ))}
        </ul>
        <p>One song’s stems, or {files.length} songs?</p>
        <div class="row">
          <button type="button" class="key pri" onClick={() => onAnswer("stems")}>
            One song’s stems
          </button>
          <button type="button" class="key" onClick={() => onAnswer("song")}>
            {files.length} songs
          </button>
        </div>
      </div>
    </Dialog>
  );
}
