"use strict";
// Runs beside the page, where sound comes in: every block of samples is handed on.
registerProcessor("heedful-voice", class extends AudioWorkletProcessor {
  process(inputs) {
    const [channel] = inputs[0];
    if (channel) this.port.postMessage(channel.slice());
    return true;
  }
});
