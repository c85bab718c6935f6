"use strict";
{
  // Two sides, and their difference where both read the same words.
  document.addEventListener("heedful:opened", (event) => {
    const sides = event.target.closest(".sides"), difference = document.querySelector(".difference");
    if (!sides) return;
    event.target.shown = event.detail;
    const [one, other] = [...sides.querySelectorAll(".reading")].map((box) => box.shown);
    if (!difference || !one || !other || one.head.queries !== other.head.queries || one.head.keys !== other.head.keys) return;
    difference.hidden = false;
    const figure = difference.querySelector(".map");
    figure.drawn ??= Heedful.matrix(figure);
    const gap = (q, k) => one.head.at(q, k) - other.head.at(q, k);
    let top = 1e-9;
    for (let q = 0; q < one.head.queries; q++) for (let k = 0; k < one.head.keys; k++) top = Math.max(top, Math.abs(gap(q, k)));
    const rounding = [one, other].reduce((sum, side) => sum + Math.max(side.head.top, side.head.sinkTop) / 65535, 0), same = top <= rounding;
    difference.querySelector(".lead").textContent = same ? "No difference: both looked alike, to the rounding of what is sent."
      : "Blue where the first looked more, orange where the second did.";
    if (same) top = 1;
    const shades = Heedful.palette("signed");
    figure.drawn.draw(one.queries, one.keys, (q, k) => [shades, Heedful.clamp(Math.round(128 + 127 * gap(q, k) / top), 0, 255)], `${one.title} − ${other.title}`);
    figure.drawn.on((q, k) => `query ${q + 1} ${Heedful.quoted(one.queries[q])} → key ${k + 1} ${Heedful.quoted(one.keys[k])}: ` +
      `${one.head.at(q, k).toFixed(4)} − ${other.head.at(q, k).toFixed(4)} = ${gap(q, k).toFixed(4)}`, () => {});
    figure.querySelector(".low").textContent = `−${Heedful.short(top)}`;
    figure.querySelector(".top").textContent = Heedful.short(top);
  });

  // A file for one side: kept by the server under a name, which the form then sends.
  function bringing(box, run) {
    const held = box.querySelector("input[type=hidden]"), told = box.querySelector(".brought"), preview = box.querySelector(".preview");
    const chosen = box.querySelector("input[type=file]"), drop = box.querySelector(".drop"), hand = box.querySelector(".byhand");
    const send = async (file) => {
      told.textContent = "sending …";
      try {
        const response = await fetch(`/run/${run}/bring?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file });
        const found = await response.json();
        held.value = found.id ?? "";
        told.textContent = response.ok ? file.name : found.error;
        const kind = file.type.startsWith("image/") ? "img" : file.type.startsWith("audio/") ? "audio" : null;
        preview.replaceChildren(...(response.ok && kind ? [Heedful.el(kind, { src: URL.createObjectURL(file), alt: file.name, controls: true })] : []));
      } catch { told.textContent = "the server does not answer, or the file is too large for it"; }
    };
    drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]); });
    chosen.addEventListener("change", () => { if (chosen.files[0]) send(chosen.files[0]); });
    if (hand?.classList.contains("draw")) Heedful.drawing(hand, send);
    if (hand?.classList.contains("speak")) Heedful.recording(hand, send);
  }

  const form = document.getElementById("compare");
  if (form) {
    addEventListener("DOMContentLoaded", () => form.querySelectorAll(".bring").forEach((box) => bringing(box, form.dataset.run)));
    const show = () => { form.dataset.what = new FormData(form).get("what"); };
    form.addEventListener("change", show);
    show();
  }
}
