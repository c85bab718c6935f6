"use strict";
{
  const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }, WARM = [255, 120, 0], DEEPEST = 0.7;

  // A picture whose patches can be pointed at or reached with the arrow keys; what a patch looked at is laid over it.
  Heedful.overlay = (figure, names, columns, chosen) => {
    const photo = figure.querySelector(".photo"), canvas = photo.querySelector("canvas"), cursor = photo.querySelector(".cursor");
    const rows = Math.max(1, Math.ceil(names.length / columns));
    let at = 0;
    canvas.width = columns;
    canvas.height = rows;
    const outline = () => {
      cursor.hidden = false;
      cursor.style.cssText = `left:${100 * (at % columns) / columns}%;top:${100 * Math.floor(at / columns) / rows}%;width:${100 / columns}%;height:${100 / rows}%`;
    };
    const go = (x, y) => { at = Heedful.clamp(y, 0, rows - 1) * columns + Heedful.clamp(x, 0, columns - 1); chosen(Math.min(at, names.length - 1)); };
    const point = (event) => {
      const box = photo.getBoundingClientRect();
      go(Math.floor((event.clientX - box.left) / box.width * columns), Math.floor((event.clientY - box.top) / box.height * rows));
    };
    photo.addEventListener("pointermove", point);
    photo.addEventListener("pointerdown", point);
    photo.addEventListener("focus", () => { if (photo.matches(":focus-visible")) chosen(at); });
    photo.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      go(at % columns + step[0], Math.floor(at / columns) + step[1]);
    });
    return {
      shade(place, row, sinks) {
        const brush = canvas.getContext("2d"), image = brush.createImageData(columns, rows);
        const all = [...row.keys()], others = all.filter((key) => !sinks.has(key));
        const low = others.reduce((least, key) => Math.min(least, row[key]), 1), top = others.reduce((most, key) => Math.max(most, row[key]), low + 1e-9);
        all.forEach((key) => {
          const share = sinks.has(key) ? 1 : (row[key] - low) / (top - low);  // above the least, or the picture could not be seen
          image.data.set([...WARM, Math.round(255 * DEEPEST * share)], 4 * key);
        });
        brush.putImageData(image, 0, 0);
        if (place < 0) { cursor.hidden = true; return; }
        at = place;
        outline();
      },
      mark(place) { at = place; outline(); },
      say(words) { figure.querySelector(".readout").textContent = words; },
    };
  };
}
