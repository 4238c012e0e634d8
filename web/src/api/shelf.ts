// Files that are being sent, kept by the browser until they are: a page that is loaded again, or opened after a crash,
// goes on with them without asking anybody to choose them again.

import type { JobRequest } from "./client.ts";

/** An upload that was begun. */
export interface Begun {
  /** Its Idempotency-Key, by which the service knows it again. */
  readonly key: string;
  /** Who began it. Another user of this browser does not go on with it. */
  readonly owner: string;
  readonly request: JobRequest;
  /** By the names of the stems; one file by "song" or "midi". */
  readonly files: ReadonlyMap<string, Blob>;
}

export interface Shelf {
  /** @throws {DOMException} There is no room, or nothing may be kept here. */
  put(begun: Begun): Promise<void>;
  /** Those of an owner, in the order of their keys. */
  of(owner: string): Promise<Begun[]>;
  delete(key: string): Promise<void>;
}

const STORE = "uploads";

/** The browser's own database. */
export class BrowserShelf implements Shelf {
  #opened: Promise<IDBDatabase> | null = null;

  async put(begun: Begun): Promise<void> {
    await this.#do("readwrite", (store) => store.put(begun));
  }

  async of(owner: string): Promise<Begun[]> {
    const all: Begun[] = await this.#do("readonly", (store) => store.getAll());
    return all.filter((begun) => begun.owner === owner);
  }

  async delete(key: string): Promise<void> {
    await this.#do("readwrite", (store) => store.delete(key));
  }

  async #do<Result>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<Result>): Promise<Result> {
    this.#opened ??= open();
    const transaction = (await this.#opened).transaction(STORE, mode);
    const request = ask(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request.error);
    });
    return request.result;
  }
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("stempipe", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
