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

  const form = document.getElementById("compare");
  if (form) {
    const show = () => { form.dataset.what = new FormData(form).get("what"); };
    form.addEventListener("change", show);
    show();
  }
}
