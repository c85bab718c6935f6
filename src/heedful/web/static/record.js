"use strict";
{
  const RATE = 16000, LONGEST = 30;

  // Samples as a WAV file: 16 bits, one channel (RIFF; Microsoft and IBM 1991).
  Heedful.wav = (blocks, rate) => {
    const count = blocks.reduce((sum, block) => sum + block.length, 0), view = new DataView(new ArrayBuffer(44 + 2 * count));
    const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
    text(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); text(8, "WAVEfmt "); view.setUint32(16, 16, true);
    view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true);
    view.setUint16(32, 2, true); view.setUint16(34, 16, true); text(36, "data"); view.setUint32(40, 2 * count, true);
    let at = 44;
    for (const block of blocks) for (const sample of block) { view.setInt16(at, 32767 * Heedful.clamp(sample, -1, 1), true); at += 2; }
    return view.buffer;
  };

  // A microphone until it is stopped; nothing is sent before that, and nothing is kept.
  Heedful.recording = (box, send) => {
    const button = box.querySelector(".record"), time = box.querySelector(".time"), level = box.querySelector("meter"), heard = box.querySelector("audio");
    let stop = null;
    const say = (words) => { time.textContent = words; };
    const begin = async () => {
      const blocks = [];
      let samples = 0, stream;
      if (!navigator.mediaDevices) { say("no microphone can be asked for here: a page of this machine, or https, would work"); return; }
      try {
        stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
      } catch (error) { say(`the microphone was not given (${error.name}): a sound file would work`); return; }
      const context = new AudioContext({ sampleRate: RATE });
      await context.audioWorklet.addModule("/static/voice.js");
      const voice = new AudioWorkletNode(context, "heedful-voice"), source = context.createMediaStreamSource(stream);
      voice.port.onmessage = ({ data }) => {
        blocks.push(data);
        samples += data.length;
        level.value = data.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
        say(`${(samples / context.sampleRate).toFixed(1)} s`);
        if (samples > LONGEST * context.sampleRate) stop?.();
      };
      source.connect(voice);
      stop = async () => {
        stop = null;
        button.textContent = "Record";
        button.setAttribute("aria-pressed", "false");
        voice.port.onmessage = null;
        source.disconnect();
        stream.getTracks().forEach((track) => track.stop());
        const rate = context.sampleRate;
        await context.close();
        level.value = 0;
        const file = new File([Heedful.wav(blocks, rate)], "recording.wav", { type: "audio/wav" });
        heard.src = URL.createObjectURL(file);
        heard.hidden = false;
        send(file);
      };
      button.textContent = "Stop";
      button.setAttribute("aria-pressed", "true");
    };
    button.addEventListener("click", () => { if (stop) stop(); else begin(); });
  };
}
