// What a residual says: how nearly the stems sum to their song. The service measures it while it separates.

import type { Job } from "../../api/client.ts";

export interface SaidResidual {
  /** "−133.4 dB". */
  readonly figure: string;
  /** Of a scale that ends at −60 dB, 0 to 1. */
  readonly share: number;
  /** What it means, in a clause. */
  readonly words: string;
}

const SCALE_DB = 60;

/** Null where it was not measured: not all stems are kept, or none was made of a song. */
export function residualOf({ results, config }: Job): SaidResidual | null {
  const decibels = results?.residualDb ?? null;
  if (decibels === null) return null;
  return {
    figure: `${decibels < 0 ? "−" : ""}${Math.abs(decibels).toFixed(1)} dB`,
    share: Math.min(1, Math.max(0, -decibels / SCALE_DB)),
    words: wordsOf(decibels, config),
  };
}

function wordsOf(decibels: number, { maskExtension, bandwidth }: Job["config"]): string {
  if (decibels <= -35) return "The stems rebuild the song";
  if (decibels <= -20) return "Close to the song";
  if (maskExtension !== "zeros") return "Parts are missing";
  return `Parts are missing: above ${bandwidth === "16khz" ? 16 : 11} kHz stems are silent`;
}
