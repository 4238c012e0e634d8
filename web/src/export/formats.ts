// Which videos this browser can make; asked before one begins, so that none is silent by surprise.

import { canEncodeAudio, canEncodeVideo } from "mediabunny";

export interface VideoFormat {
  readonly container: "webm" | "mp4";
  readonly video: "vp9" | "vp8" | "avc";
  /** Null: the video would be silent. */
  readonly sound: "opus" | "aac" | null;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly fps: number;
}

/** The formats that can be made of such pictures, at most one of each container, the likeliest to play first. */
export async function possibleFormats({ width, height, fps }: Picture): Promise<VideoFormat[]> {
  const video = async (...codecs: VideoFormat["video"][]) => {
    for (const codec of codecs) if (await canEncodeVideo(codec, { width, height, frameRate: fps })) return codec;
    return null;
  };
  const sound = async (...codecs: ("opus" | "aac")[]) => {
    for (const codec of codecs)
      if (await canEncodeAudio(codec, { numberOfChannels: 2, sampleRate: 48_000 })) return codec;
    return null;
  };
  const webm = await video("vp9", "vp8");
  const mp4 = await video("avc");
  const formats: VideoFormat[] = [];
  if (webm) formats.push({ container: "webm", video: webm, sound: await sound("opus") });
  if (mp4) formats.push({ container: "mp4", video: mp4, sound: await sound("aac", "opus") });
  return formats;
}

const NAMES = { vp9: "VP9", vp8: "VP8", avc: "H.264", opus: "Opus", aac: "AAC", webm: "WebM", mp4: "MP4" };

/** What a file of this format will hold, in words. */
export function describe({ container, video, sound }: VideoFormat): string {
  const file = `${NAMES[container]} with ${NAMES[video]}`;
  if (sound === null) return `${file}. It would be silent: this browser can encode no sound for it.`;
  if (container === "mp4" && sound === "opus")
    return `${file} and Opus: this browser has no AAC encoder. Browsers and VLC play it; some players stay silent.`;
  return `${file} and ${NAMES[sound]}.`;
}
