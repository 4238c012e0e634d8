// What tests/web/sound/ drives: the player and the exports, on songs of the test's own server. Bytes go back to that by
// POST; all else is what a call returns.

import type { Channels } from "../../src/audio/mixing.ts";
import { openPlayer, type Player, type Range, type StemSource } from "../../src/audio/player.ts";
import { inMemory, temporary } from "../../src/export/destination.ts";
import { saveMix } from "../../src/export/mix.ts";
import type { VideoFormat } from "../../src/export/video.ts";
import { saveZip } from "../../src/export/zip.ts";
import recorderUrl from "./recorder.worklet.ts?worker&url";

/** What is done to a player, and when: in seconds of the sound that is rendered. */
interface Step {
  readonly at: number;
  readonly seek?: number;
  readonly loop?: Range | null;
  readonly gain?: readonly [string, number];
  readonly play?: boolean;
}

const BLOCK = 128;
const timeout = window.setTimeout.bind(window);
const pause = (seconds: number) => new Promise((resolve) => timeout(resolve, 1000 * seconds));

function sources(stems: readonly string[]): StemSource[] {
  return stems.map((name) => ({ name, links: async () => (await fetch(`/links/${name}`)).json() }));
}

async function send(body: BodyInit): Promise<void> {
  await fetch("/result", { method: "POST", body });
}

/** Left and right in turns. */
function interleaved(pieces: readonly Channels[]): Float32Array<ArrayBuffer> {
  const both = new Float32Array(2 * pieces.reduce((sum, [left]) => sum + left.length, 0));
  let at = 0;
  for (const [left, right] of pieces)
    for (let i = 0; i < left.length; i++) {
      both[at++] = left[i] as number;
      both[at++] = right[i] as number;
    }
  return both;
}

/** How many pieces are being fetched or decoded. */
let busy = 0;
function counted<Arguments extends unknown[], Result>(work: (...args: Arguments) => Promise<Result>) {
  return async function (this: unknown, ...args: Arguments) {
    busy++;
    try {
      return await work.apply(this, args);
    } finally {
      busy--;
    }
  };
}
const { decodeAudioData } = BaseAudioContext.prototype;
BaseAudioContext.prototype.decodeAudioData = counted(decodeAudioData);
const { arrayBuffer } = Response.prototype;
Response.prototype.arrayBuffer = counted(arrayBuffer);
window.fetch = counted(window.fetch.bind(window));

/** Until nothing is on its way to the player. */
async function fed(player: Player): Promise<void> {
  for (let calm = 0; calm < 3; calm = busy === 0 ? calm + 1 : 0) {
    if (player.error) throw new Error(player.error);
    await pause(0.01);
  }
}

/** Render what the player plays, and wait twice a second until it is fed; the sound is sent, and what it held at most. */
async function render(stems: readonly string[], rate: number, seconds: number, steps: readonly Step[]) {
  const length = Math.ceil((seconds * rate) / BLOCK) * BLOCK;
  const context = new OfflineAudioContext(2, length, rate);
  const player = await openPlayer(sources(stems), undefined, () => context.destination);
  let most = 0;
  const stop = async (from: number, to: number) => {
    for (const step of steps.filter(({ at }) => from <= at && at < to)) {
      if (step.loop !== undefined) player.loop(step.loop);
      if (step.seek !== undefined) player.seek(step.seek);
      if (step.gain) player.gain(...step.gain);
      if (step.play !== undefined) await (step.play ? player.play() : player.pause());
    }
    await fed(player);
    most = Math.max(most, player.heldBytes);
  };
  await stop(0, 0.5);
  for (let at = 0.5; at < seconds; at += 0.5)
    void context
      .suspend(at)
      .then(() => stop(at, at + 0.5))
      .finally(() => context.resume());
  const buffer = await context.startRendering();
  await pause(0.1);
  await send(interleaved([[buffer.getChannelData(0), buffer.getChannelData(1)]]));
  const { state, error } = player;
  const position = player.position();
  player.close();
  return { most, state, error, position };
}

/** A player that sounds, as for a person, and is recorded. */
class Live {
  readonly states: string[] = [];
  /** Bytes that were held at most. */
  most = 0;
  player!: Player;
  #context!: AudioContext;
  #recorder!: AudioWorkletNode;

  async open(stems: readonly string[], rate: number) {
    this.#context = new AudioContext({ sampleRate: rate });
    await this.#context.audioWorklet.addModule(recorderUrl);
    this.#recorder = new AudioWorkletNode(this.#context, "recorder", { outputChannelCount: [2] });
    this.#recorder.connect(this.#context.destination);
    this.player = await openPlayer(sources(stems), undefined, () => this.#recorder);
    this.player.onChange(() => this.states.push(this.player.state));
    setInterval(() => {
      this.most = Math.max(this.most, this.player.heldBytes);
    }, 10);
  }

  look() {
    const { state, error } = this.player;
    const { states, most } = this;
    return { state, error, states, most, position: this.player.position(), levels: this.player.levels() };
  }

  async until(state: string, seconds = 30) {
    for (let left = seconds; this.player.state !== state; left -= 0.02) {
      if (left < 0) throw new Error(`It is ${this.player.state} (${this.player.error}), after ${this.states}.`);
      await pause(0.02);
    }
    return this.look();
  }

  async untilSample(sample: number, seconds = 60) {
    for (let left = seconds; this.player.position() < sample; left -= 0.02) {
      if (left < 0) throw new Error(`It is ${this.player.state} at ${this.player.position()}, after ${this.states}.`);
      await pause(0.02);
    }
    return this.look();
  }

  /** Seek at rest, and wait for what is fetched there. */
  async scrub(samples: readonly number[]) {
    for (const sample of samples) {
      this.player.seek(sample);
      await fed(this.player);
    }
    return this.look();
  }

  /** The song's sample that is heard, and the sample of the context's clock, which goes on by itself. */
  clocks() {
    return [this.player.position(), this.#context.currentTime * this.#context.sampleRate];
  }

  async recorded() {
    const heard = new Promise<Float32Array[]>((resolve) => {
      this.#recorder.port.onmessage = ({ data }) => resolve(data);
    });
    this.#recorder.port.postMessage(null);
    const blocks = await heard;
    const pairs = Array.from({ length: blocks.length / 2 }, (_, i) => [blocks[2 * i], blocks[2 * i + 1]] as Channels);
    await send(interleaved(pairs));
  }
}

const steps = (done: number[]) => (share: number) => void done.push(share);

async function mix(stems: readonly string[], gains: Record<string, number>, range: Range | null) {
  const file = await temporary("mix.wav");
  const done: number[] = [];
  const { clipped } = await saveMix({ sources: sources(stems), gains, range }, file, {
    progress: steps(done),
    signal: new AbortController().signal,
  });
  await send((await file.finished()) as Blob);
  return { clipped, done };
}

async function zip(files: readonly { name: string; path: string }[]) {
  const file = await temporary("stems.zip");
  const done: number[] = [];
  const entries = files.map(({ name, path }) => ({ name, link: async () => (await fetch(`/link/${path}`)).json() }));
  await saveZip(entries, file, { progress: steps(done), signal: new AbortController().signal });
  await send((await file.finished()) as Blob);
  return done;
}

/** How many files are left of exports. */
async function leftovers() {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle("exports", { create: true });
  let count = 0;
  for await (const _ of folder.keys()) count++;
  return count;
}

/** Sixteen squares, black or white: the frame's number in bits, the lowest first. */
function number(canvas: OffscreenCanvasRenderingContext2D, frame: number) {
  const side = canvas.canvas.width / 16;
  for (let bit = 0; bit < 16; bit++) {
    canvas.fillStyle = (frame >> bit) & 1 ? "white" : "black";
    canvas.fillRect(bit * side, 0, side, canvas.canvas.height);
  }
}

const formats = async (width: number, height: number, fps: number) => {
  const { describe, possibleFormats } = await import("../../src/export/video.ts");
  return (await possibleFormats({ width, height, fps })).map((format) => ({ format, words: describe(format) }));
};

interface Cut {
  readonly start: number;
  readonly end: number;
  readonly fps: number;
  readonly cancelAt?: number;
  readonly memory?: boolean;
}

/** A film of numbered frames; it is cancelled at a frame, if one is given. */
async function film(
  stems: readonly string[],
  format: VideoFormat,
  { start, end, fps, cancelAt = -1, memory = false }: Cut,
) {
  const { saveVideo } = await import("../../src/export/video.ts");
  const file = memory ? inMemory() : await temporary("film");
  const done: number[] = [];
  const times: number[] = [];
  const cancel = new AbortController();
  await saveVideo(
    {
      format,
      width: 320,
      height: 180,
      fps,
      start,
      end,
      sources: sources(stems),
      gains: {},
      draw: (canvas, seconds) => {
        if (times.length === cancelAt) cancel.abort();
        number(canvas, times.length);
        times.push(seconds);
      },
    },
    file,
    { progress: steps(done), signal: cancel.signal },
  );
  await send((await file.finished()) as Blob);
  return { done, times };
}

/** As in a tab that nobody sees, and worse: no timer and no frame of animation comes any more. */
function hide() {
  const never = () => 0;
  Object.assign(window, { setTimeout: never, setInterval: never, requestAnimationFrame: never });
}

const live = new Live();
const harness = { render, live, mix, zip, leftovers, formats, film, hide };
declare global {
  interface Window {
    harness: typeof harness;
  }
}
window.harness = harness;
document.querySelector("button")?.addEventListener("click", () => void live.player.play());
