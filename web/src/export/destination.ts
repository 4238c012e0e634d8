// Where a file goes that the page makes: to the disk, as it is made, for it may not fit into memory. Where the browser
// lets one choose a place, there; else into the page's own part of the disk, and from there among the downloads. Only
// where neither can be, as in a private window of Firefox, is it kept in memory.

import type { StreamTargetChunk } from "mediabunny";

/** What is written: bytes at a position, or behind those before. */
type Chunk = StreamTargetChunk | Uint8Array<ArrayBuffer>;
export type Writer = WritableStreamDefaultWriter<Chunk>;

/** A file to be written. */
export interface Destination {
  readonly stream: WritableStream<Chunk>;
  /** After it was written: the file, if it is not where the user wanted it yet. */
  finished(): Promise<Blob | null>;
  /** After it was aborted: nothing of it stays. */
  discarded(): Promise<void>;
}

interface Picker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

const FOLDER = "exports";
/** Milliseconds that a file is kept, for its download to end. */
const KEPT = 24 * 60 * 60 * 1000;

/**
 * Ask where a file goes. Call it from a click: a browser asks nobody else.
 *
 * @returns Null if the user thought better of it.
 */
export async function openDestination(name: string): Promise<Destination | null> {
  const { showSaveFilePicker } = window as Picker;
  if (!showSaveFilePicker) return temporary(name).catch(inMemory);
  try {
    const handle = await showSaveFilePicker.call(window, { suggestedName: fileName(name) });
    return { ...(await writing(handle)), finished: async () => null };
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}

/** A file in the page's own part of the disk. Old ones are deleted first. */
export async function temporary(name: string): Promise<Destination> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create: true });
  for await (const old of folder.values() as AsyncIterable<FileSystemFileHandle>)
    if ((await old.getFile()).lastModified < Date.now() - KEPT) await folder.removeEntry(old.name);
  const unique = `${crypto.randomUUID()}-${fileName(name)}`;
  const handle = await folder.getFileHandle(unique, { create: true });
  return {
    ...(await writing(handle)),
    finished: () => handle.getFile(),
    discarded: () => folder.removeEntry(unique),
  };
}

/** A file in memory. */
export function inMemory(): Destination {
  const parts: { position: number; data: Uint8Array<ArrayBuffer> }[] = [];
  let size = 0;
  let next = 0;
  return {
    stream: new WritableStream({
      write(chunk) {
        const data = chunk instanceof Uint8Array ? chunk : chunk.data;
        const position = chunk instanceof Uint8Array ? next : chunk.position;
        // Whoever wrote it may write over it.
        parts.push({ position, data: data.slice() });
        next = position + data.length;
        size = Math.max(size, next);
      },
    }),
    finished: async () => {
      const whole = new Uint8Array(size);
      for (const { position, data } of parts) whole.set(data, position);
      return new Blob([whole]);
    },
    discarded: async () => {
      parts.length = 0;
    },
  };
}

async function writing(handle: FileSystemFileHandle & { remove?(): Promise<void> }) {
  return {
    stream: await handle.createWritable(),
    discarded: async () => handle.remove?.(),
  };
}

/** A text, such as a song's title, as the name of a file on any system. */
export function fileName(text: string): string {
  const plain = text.replaceAll(/[\p{C}<>:"/\\|?*]/gu, "_").replaceAll(/^[. ]+|[. ]+$/g, "");
  return plain.slice(-120) || "file";
}

/** Put a finished file among the downloads. */
export function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = fileName(name);
  link.click();
  // The browser opens it soon, and says nothing when it has.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Let `write` fill a destination, at positions or one after another; what goes wrong, or is cancelled, leaves nothing. */
export async function fill<T>(destination: Destination, write: (writer: Writer) => Promise<T>): Promise<T> {
  const writer = destination.stream.getWriter();
  try {
    const result = await write(writer);
    await writer.close();
    return result;
  } catch (error) {
    await writer.abort(error).catch(() => {});
    await destination.discarded().catch(() => {});
    throw error;
  }
}
