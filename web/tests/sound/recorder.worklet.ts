// Keeps what it hears, until it is asked for it.

class Recorder extends AudioWorkletProcessor {
  #heard: Float32Array[] = [];

  constructor() {
    super();
    this.port.onmessage = () => {
      this.port.postMessage(this.#heard);
      this.#heard = [];
    };
  }

  process([input]: Float32Array[][]): boolean {
    const [left, right] = input ?? [];
    if (left && right) this.#heard.push(left.slice(), right.slice());
    return true;
  }
}

registerProcessor("recorder", Recorder);
