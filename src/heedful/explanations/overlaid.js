"use strict";
{
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
  const say = (part, words) => { part.querySelector(".readout").textContent = words; };
  const short = (x) => x === 0 ? "0" : Math.abs(x) < 0.001 ? x.toExponential(1) : x.toPrecision(3);

  // Pictures under the shades of their cells; parts that come later are brought to life by calling this again.
  function overlaid(figure) {
    const cells = figure.querySelector(".cells"), cursor = figure.querySelector(".cursor"), above = figure.querySelector(".above");
    const names = JSON.parse(cells.dataset.names), columns = Number(cells.dataset.columns), rows = names.length / columns;
    const buttons = [...figure.querySelectorAll(".chooser button")];
    let at = 0;
    const value = () => {
      const level = bytes(cells.dataset.levels)[at], top = Number(cells.dataset.top);
      return cells.dataset.scale === "signed" ? (level - 128) / 127 * top : level / 255 * top;
    };
    const show = () => {
      cursor.hidden = false;
      cursor.style.cssText = `left:${100 * (at % columns) / columns}%;top:${100 * Math.floor(at / columns) / rows}%;` +
        `width:${100 / columns}%;height:${100 / rows}%`;
      say(figure, `${names[at]}: ${short(value())}` + (buttons.length ? ` by “${cells.dataset.layer}”` : ""));
    };
    const go = (row, column) => { at = clamp(row, 0, rows - 1) * columns + clamp(column, 0, columns - 1); show(); };
    const point = (event) => {
      const box = cells.getBoundingClientRect();
      go(Math.floor((event.clientY - box.top) / box.height * rows), Math.floor((event.clientX - box.left) / box.width * columns));
    };
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -columns], End: [0, columns] };
    cells.addEventListener("pointermove", point);
    cells.addEventListener("pointerdown", point);
    cells.addEventListener("focus", () => { if (cells.matches(":focus-visible")) show(); });
    cells.addEventListener("blur", () => { cursor.hidden = true; });
    cells.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      go(Math.floor(at / columns) + step[0], at % columns + step[1]);
    });
    const choose = (button) => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      Object.assign(cells.dataset, { levels: button.dataset.levels, top: button.dataset.top, layer: button.dataset.layer });
      above.src = button.dataset.above;
      figure.querySelector(".legend .top").textContent = short(Number(button.dataset.top));
      const levels = bytes(button.dataset.levels);
      at = levels.indexOf(Math.max(...levels));
      say(figure, `${button.dataset.layer}: most at ${names[at]}, ${short(value())}`);
    };
    buttons.forEach((button) => button.addEventListener("click", () => choose(button)));
  }

  globalThis.heedfulOverlaid = (part) => part.querySelectorAll(".overlaid:not([data-ready])").forEach((figure) => {
    figure.dataset.ready = "";
    overlaid(figure);
  });
  globalThis.heedfulOverlaid(document);
}
