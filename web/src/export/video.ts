// A video of a song, made frame by frame and not by the clock: each picture is drawn for its own time, however long
// that takes, with the sound of the mix. It brings mediabunny along: import it when a video is asked for.

import {
  AudioSample,
  AudioSampleSource,
  CanvasSource,
  Mp4OutputFormat,
  Output,
  Quality,
  StreamTarget,
  type StreamTargetChunk,
  WebMOutputFormat,
} from "mediabunny";
import type { Channels } from "../audio/mixing.ts";
import type { StemSource } from "../audio/player.ts";
import { renderMix, songOf } from "../audio/render.ts";
import { openStems } from "../audio/requests.ts";
import { fitted } from "../audio/timeline.ts";
import { type Destination, fill, type Writer } from "./destination.ts";
import type { Picture, VideoFormat } from "./formats.ts";
import type { Work } from "./mix.ts";

export { describe, type Picture, possibleFormats, type VideoFormat } from "./formats.ts";

export interface Film extends Picture {
  readonly format: VideoFormat;
  /** From where to where in the song, in seconds. */
  readonly start: number;
  readonly end: number;
  /** Draw what is seen at a time of the song, in seconds. It is asked for frame after frame, each once. */
  readonly draw: (canvas: OffscreenCanvasRenderingContext2D, seconds: number) => void;
  /** What is heard. */
  readonly sources: readonly StemSource[];
  readonly gains: Readonly<Record<string, number>>;
}

/** Bytes that are written to the disk at once. */
const CHUNK = 2 ** 20;

/** How many frames a film has: one at least. */
export function frameCount({ start, end, fps }: Pick<Film, "start" | "end" | "fps">): number {
  return Math.max(1, Math.round((end - start) * fps));
}

/**
 * Write a film.
 *
 * @throws SoundError with a message for a person; or an error of the browser's encoder.
 */
export function saveVideo(film: Film, destination: Destination, { progress, signal }: Work): Promise<void> {
  return fill(destination, async (writer) => {
    const frames = frameCount(film);
    const canvas = new OffscreenCanvas(film.width, film.height);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("This browser cannot draw out of sight.");
    const { video, sound } = film.format;
    const pictures = new CanvasSource(canvas, { codec: video, quality: new Quality("high") });
    const heard = sound && new AudioSampleSource({ codec: sound, quality: new Quality("high") });
    const output = new Output({ format: container(film.format), target: target(writer) });
    output.addVideoTrack(pictures, { frameRate: film.fps });
    if (heard) output.addAudioTrack(heard);
    let drawn = 0;
    /** Draw and encode frames, up to a time of the film. */
    const drawUntil = async (seconds: number) => {
      for (; drawn < frames && drawn / film.fps < seconds; drawn++) {
        signal.throwIfAborted();
        film.draw(context, film.start + drawn / film.fps);
        await pictures.add(drawn / film.fps, 1 / film.fps);
        progress((drawn + 1) / frames);
        await breath();
      }
    };

    try {
      await output.start();
      if (heard) await encode(film, frames, heard, drawUntil, signal);
      await drawUntil(Number.POSITIVE_INFINITY);
      await output.finalize();
    } catch (error) {
      await output.cancel().catch(() => {});
      throw error;
    }
  });
}

/** Encode the sound of a film, and after each piece of it the pictures of that piece, so that few wait for the other. */
async function encode(
  { sources, gains, start, fps }: Film,
  frames: number,
  heard: AudioSampleSource,
  drawUntil: (seconds: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const stems = await openStems(sources, signal);
  const { sampleRate, samples: all } = songOf(stems);
  const range = fitted(all, { start: start * sampleRate, end: (start + frames / fps) * sampleRate });
  let samples = 0;
  for await (const piece of renderMix(stems, gains, range ?? { start: 0, end: 0 }, signal)) {
    const sample = new AudioSample({
      data: planar(piece),
      format: "f32-planar",
      numberOfChannels: 2,
      sampleRate,
      timestamp: samples / sampleRate,
    });
    await heard.add(sample);
    sample.close();
    samples += piece[0].length;
    await drawUntil(samples / sampleRate);
  }
}

function planar([left, right]: Channels): Float32Array<ArrayBuffer> {
  const both = new Float32Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

function container({ container }: VideoFormat) {
  return container === "webm" ? new WebMOutputFormat() : new Mp4OutputFormat();
}

function target(writer: Writer) {
  const stream = new WritableStream<StreamTargetChunk>({ write: (chunk) => writer.write(chunk) });
  return new StreamTarget(stream, { chunked: true, chunkSize: CHUNK });
}

/** Let the page do what it has to between two frames; a timer would be slow in a hidden tab. */
function breath(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
