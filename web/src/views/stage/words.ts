// What drives what, in words: for slots, and for those who cannot see the picture.

import type { Scene, Slot } from "../../scenes/scene.ts";
import { type Bindings, boundTo } from "../../scenes/show.ts";
import { parts, wordsOf } from "../../signals/catalogue.ts";
import type { Signals } from "../../signals/signals.ts";

/** What a slot has: "Vocals, pitch", "Empty", or that this song has it not. */
export function slotWords(slot: Slot, signals: Signals, bindings: Bindings): string {
  const id = boundTo(slot, bindings, signals);
  if (id === null) return "Empty";
  return signals.find(id) === null ? `No ${wordsOf(id).toLowerCase()} here` : wordsOf(id);
}

/** Whether there is nothing in a slot, because it is empty or the song has not what is bound. */
export function isEmpty(slot: Slot, signals: Signals, bindings: Bindings): boolean {
  const id = boundTo(slot, bindings, signals);
  return id === null || signals.find(id) === null;
}

/** The stem that a slot follows, by the name that the song has for it. */
export function slotStem(slot: Slot, signals: Signals, bindings: Bindings): string | null {
  const id = boundTo(slot, bindings, signals);
  const found = id === null ? null : signals.find(id);
  return found === null ? null : parts(found).stem;
}

/** The picture in a sentence. */
export function pictureWords(scene: Scene, signals: Signals, bindings: Bindings): string {
  const driven = scene.slots
    .filter((slot) => !isEmpty(slot, signals, bindings))
    .map((slot) => `${slot.name.toLowerCase()} by ${wordsOf(boundTo(slot, bindings, signals) ?? "").toLowerCase()}`);
  return `Scene: ${scene.name}. ${scene.about}. ${driven.length ? `Driven: ${driven.join("; ")}.` : "Nothing drives it."}`;
}
