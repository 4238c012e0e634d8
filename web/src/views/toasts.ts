// Short news at the window's edge. Each stays for eight seconds, and for as long as somebody looks at it.

import { signal } from "@preact/signals";

export interface Toast {
  readonly id: number;
  readonly title: string;
  readonly text?: string;
  /** A job that can be opened. */
  readonly song?: string;
  readonly stems?: readonly string[];
}

export const toasts = signal<readonly Toast[]>([]);

let last = 0;

export function toast(news: Omit<Toast, "id">): void {
  last += 1;
  toasts.value = [...toasts.peek().slice(-2), { ...news, id: last }];
}

export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((one) => one.id !== id);
}

/** Take away what was said of a song. */
export function dismissSong(song: string): void {
  toasts.value = toasts.peek().filter((one) => one.song !== song);
}
