"use strict";
document.querySelectorAll(".frontier").forEach((root) => {
  const data = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  const find = (name) => root.querySelector(name);
  const [budget, policy, axis, measure, said] = ["#fr-budget", "#fr-policy", "#fr-axis", "#fr-measure", "#fr-said"].map(find);
  const field = find(".field"), table = find(".table");
  const make = (name, attributes = {}, text = "") => {
    const svg = ["svg", "path", "line", "polyline"].includes(name);
    const made = svg ? document.createElementNS("http:" + "//www.w3.org/2000/svg", name) : document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(text);
    return made;
  };
  const figure = (x) => x === null ? "none" : x === 0 ? "0" : Math.abs(x) >= 1e6 ? `${Number((x / 1e6).toPrecision(3)).toLocaleString("en")} M` : Math.abs(x) >= 1000 ? Math.round(x).toLocaleString("en") :
    Math.abs(x) < 0.0001 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
  const signed = (x) => (x < 0 ? "−" : "+") + figure(Math.abs(x));
  const percent = (x) => `${Math.round(100 * x)} %`;
  const shapes = ["M8 2a6 6 0 1 0 .01 0z", "M3 3h10v10h-10z", "M8 2l6.5 11.5h-13z", "M8 14.5l-6.5 -11.5h13z", "M8 .8l6.5 7.2l-6.5 7.2l-6.5 -7.2z", "M3 3l10 10M13 3l-10 10"];
  const shape = (index) => {
    const svg = make("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
    const at = index % shapes.length;
    svg.append(make("path", { d: shapes[at], class: at === 5 ? "shape open" : "shape" }));
    return svg;
  };
  const of = (index) => data.points.filter((point) => point.policy === index).sort((a, b) => b.budget - a.budget);
  const stops = of(0).map((point) => point.budget);
  const chosen = () => data.points.find((point) => point.policy === Number(policy.value) && point.budget === stops[Number(budget.value)]);

  // The curves
  const ms = (point) => point[axis.value];
  const lost = (point) => point[measure.value];
  let linear = 1, top = 1, bottom = 0;
  const squash = (loss) => Math.sign(loss) * Math.log10(1 + Math.abs(loss) / linear);
  const up = (loss) => 100 * (top - squash(loss)) / (top - bottom);
  const stretch = () => {
    const bounds = measure.value === "loss" ? of(0).map((point) => point.upper) : [];
    const found = [...data.points.map(lost), ...bounds].filter((loss) => loss !== null);
    linear = 10 ** Math.floor(Math.log10(Math.max(1e-4, Math.max(...found.map(Math.abs)) / 1000)));
    const low = squash(Math.min(0, ...found)), high = Math.max(squash(Math.max(...found)), low + 1);
    [bottom, top] = [low < 0 ? low - 0.06 * (high - low) : 0, high + 0.06 * (high - low)];
    const decades = Array.from({ length: 8 }, (_, i) => linear * 10 ** (i + 1));
    return [...decades.map((x) => -x).reverse(), 0, ...decades].filter((x) => squash(x) >= bottom && squash(x) <= top);
  };
  const round = (high) => {
    const size = 10 ** Math.floor(Math.log10(high / 4));
    const gap = [1, 2, 5, 10].map((step) => step * size).find((step) => step >= high / 5);
    return Array.from({ length: Math.floor(high / gap + 1e-9) + 1 }, (_, i) => Number((i * gap).toPrecision(6)));
  };
  const span = () => 1.04 * Math.max(data.dense[axis.value] ?? 0, ...data.points.map(ms).filter((x) => x !== null));
  const right = (x) => 100 * x / span();
  const tell = (point) => `${data.policies[point.policy]} at ${percent(point.budget)}: ` +
    (data.resource === "milliseconds" ? "" : `${figure(point.spent)} ${data.resource}, `) + `${figure(point.predicted)} ms predicted` +
    (point.measured === null ? "" : `, ${figure(point.measured)} ms measured`) + `, ${signed(point.loss)} nats a token` +
    (point.upper === null ? "" : ` (bound ${signed(point.upper)})`) + (point.front ? ", on the front" : "");
  const drawCurves = () => {
    field.replaceChildren();
    const heights = stretch();
    const svg = make("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" });
    const line = (name, x1, y1, x2, y2) => svg.append(make("line", { class: name, x1, y1, x2, y2 }));
    heights.forEach((height) => line(height ? "rule" : "rule zero", 0, up(height), 100, up(height)));
    const dense = data.dense[axis.value];
    if (dense !== null) line("dense", right(dense), 0, right(dense), 100);
    const tick = (x) => x === 0 ? "0" : (x < 0 ? "−" : measure.value === "loss" ? "+" : "") + (Math.abs(x) < 0.001 ? Math.abs(x).toExponential(0) : Number(Math.abs(x).toPrecision(1)));
    find(".ticks.y").replaceChildren(...heights.map((height) => make("span", { style: `top:${up(height)}%` }, tick(height))));
    const wide = span();
    find(".ticks.x").replaceChildren(...round(wide).filter((x) => right(x) <= 100).map((x) => make("span", { style: `left:${right(x)}%` }, figure(x))));
    const marks = [];
    data.policies.forEach((name, index) => {
      const points = of(index).filter((point) => ms(point) !== null).sort((a, b) => ms(a) - ms(b));
      const places = points.map((point) => `${right(ms(point))},${up(lost(point))}`).join(" ");
      svg.append(make("polyline", { class: `curve line${index % 6}`, points: places }));
      if (!index && measure.value === "loss") points.filter((point) => point.upper !== null).forEach((point) => {
        svg.append(make("line", { class: "whisker line0", x1: right(ms(point)), x2: right(ms(point)), y1: up(lost(point)), y2: up(point.upper) }));
      });
      points.forEach((point) => {
        const style = `left:${right(ms(point))}%;top:${up(lost(point))}%`;
        const mark = make("button", { type: "button", class: `mark line${index % 6}`, style, "aria-label": tell(point), tabindex: -1 });
        mark.append(shape(index));
        mark.point = point;
        mark.addEventListener("pointerenter", () => { find(".plot .readout").textContent = tell(point); });
        mark.addEventListener("click", () => {
          policy.value = String(index);
          budget.value = String(stops.indexOf(point.budget));
          show();
        });
        marks.unshift(mark);
      });
    });
    const name = dense === null ? "" : make("span", { class: "name", style: `left:${right(dense)}%` }, `dense ${figure(dense)}${axis.value === "spent" ? "" : " ms"}`);
    field.append(svg, name, ...marks);
  };
  const keys = data.policies.map((name, index) => {
    const key = make("li", { class: `line${index % 6}` });
    key.style.color = "inherit";
    key.append(shape(index), name);
    return key;
  });
  find(".plot .keys").replaceChildren(...keys);

  // The heads
  const rows = data.sites.flatMap((site, layer) => Array.from({ length: site.heads }, (_, head) => ({ layer, head })));
  const widest = Math.max(...data.sites.map((site) => site.heads));
  const last = data.options.length - 1, drops = data.options.indexOf("drop");
  const importance = rows.map((_, row) => data.losses[row][drops < 0 ? last : drops]);
  const order = importance.map((value, row) => [value, row]).sort((a, b) => b[0] - a[0]).map(([, row]) => row);
  const rank = order.reduce((found, row, place) => { found[row] = place + 1; return found; }, []);
  const words = data.options.map((name) => name.split("(")[0]);
  const families = [...new Set(words)].filter((word) => word !== "full" && word !== "drop");
  const colour = (option) => {
    if (option === drops) return "var(--drop)";
    if (families.length < 2 || words[option] === "full") {
      const place = 7 * option / Math.max(1, drops < 0 ? last : drops - 1), below = Math.min(6, Math.floor(place));
      return `color-mix(in oklab, var(--o${below + 1}) ${(100 * (place - below)).toFixed(0)}%, var(--o${below}))`;
    }
    const size = words.slice(0, option).filter((word) => word === words[option]).length;
    return `color-mix(in oklab, var(--o${1 + 2 * families.indexOf(words[option]) % 8}) ${Math.max(30, 100 - 22 * size)}%, var(--sheet))`;
  };
  const cells = rows.map(({ layer, head }, row) => {
    const cell = make("button", { type: "button", class: "cell", tabindex: row ? -1 : 0 });
    const side = 92 - 62 * (rank[row] - 1) / rows.length;
    cell.style.cssText = `grid-row:${layer + 2};grid-column:${head + 2};--s:${side.toFixed(0)}%`;
    cell.append(make("span"));
    cell.addEventListener("pointerenter", () => read(row));
    cell.addEventListener("focus", () => read(row));
    cell.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      const to = rows.findIndex((other) => other.layer === layer + step[0] && other.head === Math.min(head + step[1], data.sites[other.layer].heads - 1));
      if (to < 0) return;
      cell.tabIndex = -1;
      cells[to].tabIndex = 0;
      cells[to].focus();
    });
    return cell;
  });
  const every = widest > 16 ? 8 : 1, deep = data.sites.length > 24 ? 4 : 1;
  const place = (name, row, column, text) => make("i", { class: name, style: `grid-row:${row};grid-column:${column}` }, text);
  const heads = Array.from({ length: widest }, (_, head) => (head + 1) % every && head ? "" : place("", 1, head + 2, head + 1));
  const layers = data.sites.map((_, layer) => (layer + 1) % deep && layer ? "" : place("row", layer + 2, 1, layer + 1));
  table.style.maxWidth = `${Math.min(480, 36 + 60 * widest)}px`;
  table.style.gridTemplateColumns = `2.2em repeat(${widest}, minmax(0, 1fr))`;
  table.classList.toggle("dense-grid", widest > 16);
  table.replaceChildren(...heads, ...layers, ...cells);
  const step = (row, from, to) => {
    const saved = data.losses[row][to] - data.losses[row][from];
    return `${data.options[to]}: ${signed(saved)} nats, ${signed(data.milliseconds[row][to] - data.milliseconds[row][from])} ms`;
  };
  let reading = 0, shown = data.points[0];
  const read = (row) => {
    reading = row;
    const { layer, head } = rows[row], option = shown.choices[row];
    const cheaper = data.options.findIndex((_, other) => other > option && data.milliseconds[row][other] < data.milliseconds[row][option]);
    const dearer = data.options.findLastIndex((_, other) => other < option);
    find(".cells .readout").textContent = `Layer ${layer + 1}, head ${head + 1}: ${data.options[option]}, ` +
      `${figure(data.milliseconds[row][option])} ms. Importance ${figure(importance[row])} nats (${rank[row]} of ${rows.length}).` +
      (cheaper < 0 ? "" : ` Demoted to ${step(row, option, cheaper)}.`) + (dearer < 0 ? "" : ` Promoted to ${step(row, option, dearer)}.`);
  };
  const drawHeads = (point) => {
    cells.forEach((cell, row) => {
      const option = point.choices[row], { layer, head } = rows[row];
      cell.classList.toggle("dropped", option === drops);
      cell.style.setProperty("--c", colour(option));
      cell.setAttribute("aria-label", `layer ${layer + 1}, head ${head + 1}: ${data.options[option]}`);
    });
    const counts = data.options.map((_, option) => point.choices.filter((other) => other === option).length);
    const swatches = data.options.map((name, option) => {
      const key = make("li");
      const swatch = make("span", { class: option === drops ? "swatch dropped" : "swatch" });
      swatch.style.setProperty("--c", colour(option));
      key.append(swatch, `${name} (${counts[option]})`);
      return key;
    });
    find(".cells .keys").replaceChildren(...swatches.filter((_, option) => counts[option]));
  };

  const stopped = () => {
    budget.setAttribute("aria-valuetext", `${percent(stops[Number(budget.value)])} of attention's ${data.resource}`);
    find(".stops").replaceChildren(...stops.map((stop, i) => {
      const left = stops.length > 1 ? 100 * i / (stops.length - 1) : 50;
      return make("span", { class: i === Number(budget.value) ? "now" : "", style: `left:${left}%` }, percent(stop));
    }));
  };
  const show = () => {
    const point = chosen();
    stopped();
    if (!point) {
      const name = data.policies[Number(policy.value)], share = percent(stops[Number(budget.value)]);
      said.textContent = `${share}: ${name} cannot keep within so few ${data.resource}; another budget would work.`;
      root.querySelectorAll(".mark").forEach((mark) => mark.setAttribute("aria-pressed", "false"));
      return;
    }
    shown = point;
    const speed = point.measured === null ? "" : ` Measured ${figure(point.measured)} ms of ${figure(data.dense.measured)} for the whole model.`;
    const bound = point.upper === null ? "" : `, 95 % bound ${signed(point.upper)}`;
    const perplexity = point.perplexity === null ? "" : `; perplexity ${figure(Math.exp(data.dense.nats))} → ${figure(point.perplexity)}`;
    said.replaceChildren(make("b", {}, `${percent(point.budget)}: ${signed(point.loss)} nats a token`), `${bound}${perplexity}; ` +
      `${(100 * point.agreement).toFixed(1)} % of next tokens the same. Attention ${figure(point.predicted)} ms of ${figure(data.dense.predicted)} predicted.${speed}`);
    drawHeads(point);
    read(reading);
    root.querySelectorAll(".mark").forEach((mark) => mark.setAttribute("aria-pressed", String(mark.point === point)));
    find(".plot .readout").textContent = tell(point);
  };
  budget.addEventListener("input", show);
  policy.addEventListener("input", show);
  [axis, measure].forEach((choice) => choice.addEventListener("input", () => { drawCurves(); show(); }));
  budget.value = String(stops.reduce((best, stop, i) => Math.abs(stop - 0.5) < Math.abs(stops[best] - 0.5) ? i : best, 0));
  drawCurves();
  show();
});
