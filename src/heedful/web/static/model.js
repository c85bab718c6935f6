"use strict";
{
  function picture(canvas, rows, columns, cells) {
    canvas.width = columns;
    canvas.height = rows;
    const brush = canvas.getContext("2d"), image = brush.createImageData(columns, rows), shades = Heedful.palette("weights");
    cells.forEach((level, i) => { for (let part = 0; part < 4; part++) image.data[4 * i + part] = shades[4 * level + part]; });
    brush.putImageData(image, 0, 0);
  }

  // Layers by heads as small pictures; a layer's pictures are fetched when it comes into sight.
  Heedful.model = (figure, layers, source, open, mute) => {
    const grid = figure.querySelector(".small"), buttons = [], rows = [];
    layers.forEach((layer, i) => {
      const row = Heedful.el("div", { className: "layer" }, Heedful.el("span", { className: "name", textContent: layer.name }));
      row.setAttribute("role", "row");
      rows.push([]);
      for (let head = 0; head < layer.heads; head++) {
        const button = Heedful.el("button", { type: "button", className: "head" }, Heedful.el("canvas", { className: "pixels", width: 1, height: 1 }));
        button.setAttribute("role", "gridcell");
        button.setAttribute("aria-label", `${layer.name}, head ${head + 1}${layer.silent.includes(head) ? ", muted" : ""}`);
        button.title = `${layer.name}, head ${head + 1}`;
        button.classList.toggle("silent", layer.silent.includes(head));
        button.dataset.name = `${i + 1}.${head + 1}`;
        button.addEventListener("click", () => open(button.dataset.name));
        button.addEventListener("keydown", (event) => { if (event.key === "m" && mute) { event.preventDefault(); mute(button.dataset.name); } });
        rows[i].push(buttons.length);
        buttons.push(button);
        row.append(button);
      }
      grid.append(row);
    });
    const where = (place) => { const row = rows.findIndex((line) => line.includes(place)); return [row, rows[row].indexOf(place)]; };
    Heedful.roving(buttons, (key, place) => {
      const [row, column] = where(place);
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -column], End: [0, rows[row].length] }[key];
      if (!step) return undefined;
      const line = rows[Heedful.clamp(row + step[0], 0, rows.length - 1)];
      return line[Heedful.clamp(column + step[1], 0, line.length - 1)];
    }, () => {});
    const seen = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(async (entry) => {
      seen.unobserve(entry.target);
      const layer = [...grid.children].indexOf(entry.target), found = await source.small(layer);
      rows[layer].forEach((place, head) => picture(buttons[place].firstChild, found.rows, found.columns, found.cells[head]));
      entry.target.classList.add("drawn");
    }), { rootMargin: "200px" });
    [...grid.children].forEach((row) => seen.observe(row));
    return { choose(name) { buttons.forEach((button) => button.setAttribute("aria-selected", String(button.dataset.name === name))); } };
  };
}
