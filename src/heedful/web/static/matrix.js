"use strict";
{
  const DESK = 40, PHONE = 18, CELL = 26, WIDEST = 620, ROW = 13;

  function labels(box, names, axis) {
    const desk = Math.ceil(names.length / DESK), phone = Math.ceil(Math.ceil(names.length / PHONE) / desk) * desk;
    box.style.setProperty("--count", names.length);
    box.replaceChildren(...names.flatMap((name, i) => {
      if (i % desk) return [];
      const span = Heedful.el("span", { textContent: name, className: i % phone ? "desk" : "" });
      span.style.gridArea = axis === "keys" ? `1 / ${i + 1}` : `${i + 1} / 1`;
      return [span];
    }));
  }

  // A matrix on a canvas, one pixel a cell; `paint(q, k)` gives a palette and a level.
  Heedful.matrix = (figure) => {
    const field = figure.querySelector(".field"), canvas = field.querySelector("canvas"), cursor = field.querySelector(".cursor");
    let shape = [0, 0], row = 0, column = 0, told = () => "", chosen = () => {};
    const show = (focused) => {
      const [queries, keys] = shape;
      cursor.hidden = false;
      cursor.style.cssText = `left:${100 * column / keys}%;top:${100 * row / queries}%;width:${100 / keys}%;height:${100 / queries}%`;
      figure.querySelector(".readout").textContent = told(row, column);
      chosen(row, column, focused);
    };
    const point = (event) => {
      const box = field.getBoundingClientRect();
      column = Heedful.clamp(Math.floor((event.clientX - box.left) / box.width * shape[1]), 0, shape[1] - 1);
      row = Heedful.clamp(Math.floor((event.clientY - box.top) / box.height * shape[0]), 0, shape[0] - 1);
      show(false);
    };
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    field.addEventListener("pointermove", point);
    field.addEventListener("pointerdown", point);
    field.addEventListener("focus", () => { if (field.matches(":focus-visible")) show(true); });
    field.addEventListener("blur", () => { cursor.hidden = true; });
    field.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      const by = event.shiftKey ? 10 : 1;
      row = Heedful.clamp(row + by * step[0], 0, shape[0] - 1);
      column = Heedful.clamp(column + by * step[1], 0, shape[1] - 1);
      show(true);
    });
    return {
      draw(queries, keys, paint, title) {
        shape = [queries.length, keys.length];
        row = Math.min(row, shape[0] - 1);
        column = Math.min(column, shape[1] - 1);
        canvas.width = keys.length;
        canvas.height = queries.length;
        const brush = canvas.getContext("2d"), image = brush.createImageData(keys.length, queries.length);
        for (let q = 0, at = 0; q < queries.length; q++) for (let k = 0; k < keys.length; k++, at += 4) {
          const [shades, level] = paint(q, k), from = 4 * level;
          for (let part = 0; part < 4; part++) image.data[at + part] = shades[from + part];
        }
        brush.putImageData(image, 0, 0);
        field.style.aspectRatio = `${keys.length} / ${queries.length}`;
        field.style.minHeight = `${Math.min(queries.length, PHONE) * ROW}px`;
        figure.querySelector(".axes").style.setProperty("--width", `${Math.min(WIDEST, keys.length * CELL)}px`);
        labels(figure.querySelector(".labels.keys"), keys, "keys");
        labels(figure.querySelector(".labels.queries"), queries, "queries");
        field.setAttribute("aria-label", `${title}: ${queries.length} queries by ${keys.length} keys; arrow keys move over the cells`);
        figure.querySelector("figcaption").textContent = title;
      },
      on(tell, choose) { told = tell; chosen = choose; },
    };
  };
}
