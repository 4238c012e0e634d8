// The audio thread's end of the player: it hands commands to the mixer, and the mixer's reports back.

import { type Command, Mixer, type Shape } from "./mixer.ts";

interface Options {
  readonly processorOptions: { readonly shape: Shape; readonly gains: readonly number[] };
}

class MixerProcessor extends AudioWorkletProcessor {
  readonly #mixer: Mixer;
  #ended = false;

  constructor({ processorOptions }: Options) {
    super();
    this.#mixer = new Mixer(processorOptions.shape, processorOptions.gains);
    this.port.onmessage = ({ data }: MessageEvent<Command>) => {
      if (data.do === "end") this.#ended = true;
      else this.#mixer.obey(data);
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [left, right] = outputs[0] ?? [];
    if (left && right) {
      const report = this.#mixer.render([left, right], currentFrame);
      if (report) this.port.postMessage(report);
    }
    return !this.#ended;
  }
}

registerProcessor("mixer", MixerProcessor);
