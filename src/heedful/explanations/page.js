"use strict";
{
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
  const say = (part, words) => { part.querySelector(".readout").textContent = words; };
  const short = (x) => x === 0 ? "0" : Math.abs(x) < 0.001 ? x.toExponential(1) : x.toPrecision(3);

  function heatmap(figure) {
    const field = figure.querySelector(".field"), cursor = figure.querySelector(".cursor");
    const queries = JSON.parse(field.dataset.queries), keys = JSON.parse(field.dataset.keys);
    let row = queries.length - 1, column = 0;
    const value = () => {
      const level = bytes(field.dataset.levels)[row * keys.length + column], top = Number(field.dataset.top);
      return field.dataset.scale === "signed" ? (level - 128) / 127 * top : level / 255 * top;
    };
    const show = () => {
      cursor.hidden = false;
      cursor.style.cssText = `left:${100 * column / keys.length}%;top:${100 * row / queries.length}%;` +
        `width:${100 / keys.length}%;height:${100 / queries.length}%`;
      say(figure, `query ${row + 1} “${queries[row]}” → key ${column + 1} “${keys[column]}”: ${short(value())}`);
    };
    const point = (event) => {
      const box = field.getBoundingClientRect();
      column = clamp(Math.floor((event.clientX - box.left) / box.width * keys.length), 0, keys.length - 1);
      row = clamp(Math.floor((event.clientY - box.top) / box.height * queries.length), 0, queries.length - 1);
      show();
    };
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    field.addEventListener("pointermove", point);
    field.addEventListener("pointerdown", point);
    field.addEventListener("focus", () => { if (field.matches(":focus-visible")) show(); });
    field.addEventListener("blur", () => { cursor.hidden = true; });
    field.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      row = clamp(row + step[0], 0, queries.length - 1);
      column = clamp(column + step[1], 0, keys.length - 1);
      show();
    });
  }

  function heads(part) {
    const field = part.querySelector(".field"), caption = part.querySelector("figcaption");
    const buttons = [...part.querySelectorAll(".grid button")];
    const choose = (button) => {
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      field.dataset.levels = button.dataset.levels;
      field.dataset.top = button.dataset.top;
      field.querySelector("img").src = button.querySelector("img").src;
      field.setAttribute("aria-label", button.dataset.title + "; arrow keys move over the cells");
      caption.textContent = button.dataset.title;
      part.querySelector(".legend .top").textContent = short(Number(button.dataset.top));
    };
    buttons.forEach((button) => button.addEventListener("click", () => choose(button)));
    choose(buttons.find((button) => button.getAttribute("aria-pressed") === "true"));
  }

  function text(pane) {
    const all = [...pane.querySelectorAll("[data-i]")], made = all.filter((token) => token.dataset.looks !== undefined);
    const name = (token) => `“${token.textContent.replaceAll("\n", "") || "↵"}”`;
    const show = (token) => {
      all.forEach((other) => { other.classList.remove("seen", "chosen"); other.style.removeProperty("--w"); });
      token.classList.add("chosen");
      const looks = token.dataset.looks.split(" ").filter(Boolean).map((look) => look.split(":").map(Number));
      const top = looks.length ? looks[0][1] : 1;
      looks.forEach(([i, percent]) => { all[i].classList.add("seen"); all[i].style.setProperty("--w", 0.15 + 0.85 * percent / top); });
      say(pane, `${name(token)} looked at ` + looks.slice(0, 4).map(([i, percent]) => `${name(all[i])} ${percent} %`).join(", "));
    };
    made.forEach((token, place) => {
      token.addEventListener("pointerenter", () => show(token));
      token.addEventListener("click", () => token.focus());
      token.addEventListener("focus", () => show(token));
      token.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 10, ArrowLeft: -1, ArrowUp: -10, Home: -made.length, End: made.length }[event.key];
        if (!step) return;
        event.preventDefault();
        const next = made[clamp(place + step, 0, made.length - 1)];
        token.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      });
    });
  }

  function chart(figure) {
    const field = figure.querySelector(".field"), cursor = figure.querySelector(".cursor");
    const lines = Object.entries(JSON.parse(field.dataset.lines)), [left, right] = JSON.parse(field.dataset.span);
    const places = [...new Set(lines.flatMap(([, points]) => points.map(([x]) => x)))].sort((a, b) => a - b);
    const nearest = (points, x) => points.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best);
    let at = places.length - 1;
    const show = () => {
      const x = places[at];
      cursor.hidden = false;
      cursor.style.left = `${100 * (x - left) / (right - left)}%`;
      say(figure, `${field.dataset.x} ${x}: ` + lines.filter(([, points]) => points.length)
        .map(([name, points]) => `${name} ${short(nearest(points, x)[1])}`).join(", "));
    };
    const point = (event) => {
      const box = field.getBoundingClientRect(), x = left + (event.clientX - box.left) / box.width * (right - left);
      at = places.indexOf(places.reduce((best, place) => Math.abs(place - x) < Math.abs(best - x) ? place : best));
      show();
    };
    if (!places.length) return;
    field.addEventListener("pointermove", point);
    field.addEventListener("pointerdown", point);
    field.addEventListener("focus", () => { if (field.matches(":focus-visible")) show(); });
    field.addEventListener("blur", () => { cursor.hidden = true; });
    field.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -places.length, End: places.length }[event.key];
      if (!step) return;
      event.preventDefault();
      at = clamp(at + step, 0, places.length - 1);
      show();
    });
  }

  document.querySelectorAll(".map").forEach(heatmap);
  document.querySelectorAll(".heads").forEach(heads);
  document.querySelectorAll(".text").forEach(text);
  document.querySelectorAll(".chart").forEach(chart);
}
