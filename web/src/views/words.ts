// What the page says of numbers, waits and failures: short, what is and then what to do.

/** Of "62.9": "1:02", or "1:02.90" with two decimals. */
export function clock(seconds: number, decimals = 0): string {
  const scale = 10 ** decimals;
  const whole = Math.max(0, Math.floor(seconds * scale + 1e-6));
  const minutes = Math.floor(whole / scale / 60);
  const rest = (whole / scale - minutes * 60).toFixed(decimals);
  return `${minutes}:${rest.padStart(decimals ? decimals + 3 : 2, "0")}`;
}

/** A time as it is read out: "1 minute 2.9 seconds". */
export function spoken(seconds: number): string {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const minutes = Math.floor(tenths / 600);
  const rest = (tenths % 600) / 10;
  const words = `${rest} ${noun(rest, "second")}`;
  return minutes === 0 ? words : `${minutes} ${noun(minutes, "minute")} ${words}`;
}

/** A wait: "9 s", "1 min 10 s", "2 h 5 min". */
export function wait(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Megabytes to three figures: "0.42", "8.4", "142". */
export function megabytes(bytes: number): string {
  const mega = bytes / 1e6;
  if (mega >= 100) return Math.round(mega).toString();
  return mega.toFixed(mega >= 0.95 ? 1 : 2);
}

/** A size: "812 B", "34 kB", "8.4 MB", "1.2 GB". */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${Math.round(bytes / 1e3)} kB`;
  return bytes < 999.5e6 ? `${megabytes(bytes)} MB` : `${(bytes / 1e9).toFixed(bytes < 99.5e9 ? 1 : 0)} GB`;
}

/** A limit as it was set, in whole megabytes of 2^20 bytes: "500 MB". */
export function limit(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}

/** "1,274". */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-GB");
}

/** "1 note", "1,274 notes". */
export function counted(value: number, one: string): string {
  return `${count(value)} ${noun(value, one)}`;
}

function noun(value: number, one: string): string {
  return value === 1 ? one : `${one}s`;
}

/** "+1.0", "0.0", "−6.0". */
export function decibels(value: number): string {
  const text = Math.abs(value).toFixed(1);
  if (text === "0.0") return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}

const ORDINALS = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"];

/** "Third", of 3; beyond ten "11th". */
export function ordinal(place: number): string {
  const word = ORDINALS[place - 1];
  if (word) return word;
  const tens = place % 100;
  const end = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][place % 10] ?? "th");
  return `${place}${end}`;
}

/** "14:05", by this place's clock. */
export function timeOfDay(at: Date): string {
  return at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** "Next in the queue", "1 song ahead", "3 songs ahead". */
export function aheadWords(songs: number): string {
  if (songs === 0) return "Next in the queue";
  return `${counted(songs, "song")} ahead`;
}

/** "just now", "4 min ago", "yesterday", "3 days ago". */
export function ago(then: Date, now: Date): string {
  const seconds = (now.getTime() - then.getTime()) / 1000;
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight.getTime() - then.getTime()) / 86_400_000);
  if (days <= 0) return `${Math.floor(seconds / 3600)} h ago`;
  return days === 1 ? "yesterday" : `${days} days ago`;
}

/** Names in a row: "drums, vocals and bass". */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
