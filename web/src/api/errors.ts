// What goes wrong has a code that views decide by, and words for a person. Codes are the service's own (docs/api.md),
// and these four, which are for what never reached it.

/** "offline": nobody answered. "signed_out": sign in again. "throttled": too many ask. "unavailable": it is down. */
export type OwnCode = "offline" | "signed_out" | "throttled" | "unavailable";

/** Why something was not done. */
export class Refusal extends Error {
  override name = "Refusal";
  /** From the service, or one of `OwnCode`. */
  readonly code: string;
  /** From when on the same may be done, where the service says that. */
  readonly again: Date | null;

  constructor(code: string, message: string, again: Date | null = null) {
    super(message);
    this.code = code;
    this.again = again;
  }

  /** Whether the same may well be done a little later. */
  get passes(): boolean {
    return ["offline", "throttled", "unavailable", "internal_error", "storage_unavailable"].includes(this.code);
  }
}

export const offline = () => new Refusal("offline", "Nobody answered. Is this computer online?");
export const signedOut = () => new Refusal("signed_out", "You were signed out. Sign in again.");

/** What an answer that is no success says; API Gateway's own have no code. `retryAfter` is its header, in seconds. */
export function refusalOf(status: number, body: unknown, retryAfter: string | null = null): Refusal {
  const { error } = (body ?? {}) as { error?: { code?: unknown; message?: unknown } };
  const again = retryAfter && /^\d+$/.test(retryAfter) ? new Date(Date.now() + 1000 * Number(retryAfter)) : null;
  if (typeof error?.code === "string") return new Refusal(error.code, String(error.message ?? ""), again);
  if (status === 401) return signedOut();
  if (status === 413) return new Refusal("too_large", "That is more than can be sent at once.");
  if (status === 429) return new Refusal("throttled", "Too many requests come in at once. Try again in a moment.");
  return new Refusal("unavailable", `The service cannot answer now (${status}). Try again in a moment.`);
}

/** Whether an error only says that whoever asked no longer wants to know. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
