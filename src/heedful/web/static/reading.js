"use strict";
{
  const TOLD = 4, TABLE = 2000;

  function choices(select, layers) {
    select.append(Heedful.el("option", { value: "mean", textContent: "mean of all" }));
    layers.forEach((layer, i) => {
      const group = Heedful.el("optgroup", { label: layer.name });
      const names = layer.means ? [[`${i + 1}.mean`, "mean"]] : [];
      for (let head = 0; head < layer.heads; head++) names.push([`${i + 1}.${head + 1}`, `head ${head + 1}`]);
      group.append(...names.map(([value, words]) => Heedful.el("option", { value, textContent: `${layer.name}, ${words}` })));
      select.append(group);
    });
  }

  // Everything that is seen of one reading: the text, the opened head, lines and matrix, every head; all show the same head and token.
  Heedful.reading = (box) => {
    const index = JSON.parse(box.querySelector(".index").textContent), saved = Boolean(document.getElementById("heads"));
    const layers = index.layers.map((layer, i) => ({
      ...layer, means: !saved, heads_names: Array.from({ length: layer.heads }, (_, head) => `${i + 1}.${head + 1}`),
    }));
    const source = Heedful.source(box.dataset.run, box.dataset.id, layers);
    const select = box.querySelector(".choose"), numbers = box.querySelector(".numbers"), between = box.querySelector(".between");
    const mute = box.querySelector(".mute"), state = { name: "mean", place: -1, head: null };
    const texts = (name) => {
      const layer = layers[name === "mean" ? 0 : Number(name.split(".")[0]) - 1];
      return [index.texts[layer.queries], index.texts[layer.keys], layer];
    };
    const behind = (place) => index.start !== null && place >= index.start ? place - 1 : place;
    const title = () => select.selectedOptions[0].textContent;
    choices(select, layers);

    const strip = index.over === 0 ? Heedful.overlay(box.querySelector(".strip"), index.texts[0], index.columns, (place) => look(place))
      : Heedful.strip(box.querySelector(".strip"), index.texts[0], { made: index.start !== null, start: index.start, split: index.split }, (place) => look(place));
    const beside = index.over === 1 ? Heedful.overlay(box.querySelector(".source"), index.texts[1], index.columns, (key) => back(key))
      : index.aligned ? Heedful.strip(box.querySelector(".source"), index.texts[1], {}, (key) => back(key)) : null;
    const map = Heedful.matrix(box.querySelector(".map"));
    const lines = Heedful.lines(box.querySelector(".lines"), (query) => look(query, true), (key) => back(key));
    const steps = box.querySelector(".steps") ? Heedful.steps(box.querySelector(".steps"), index, (place) => look(place)) : null;
    const model = box.querySelector(".model") ? Heedful.model(box.querySelector(".model"), layers, source, (name) => open(name), saved || !index.mutable ? null : toggle) : null;

    function toggle(name) { box.dispatchEvent(new CustomEvent("heedful:mute", { bubbles: true, detail: name })); }

    function table(row, names) {
      const body = box.querySelector(".row-numbers tbody");
      if (!box.querySelector(".row-numbers").open) return;
      box.querySelector(".row-numbers summary").textContent = state.head.step > 1 ? "The largest numbers of the chosen token's block" : "The numbers of the chosen token";
      body.replaceChildren(...Heedful.largest(row, TABLE).map((key) => Heedful.el("tr", {},
        Heedful.el("th", { scope: "row", textContent: names[key] }), Heedful.el("td", { className: "number", textContent: key + 1 }),
        Heedful.el("td", { className: "number", textContent: row[key].toFixed(4) }))));
    }

    // `exact` says that the place is a query's own row; in the text a token that was made shows the row that made it.
    function look(place, exact = false) {
      const head = state.head;
      state.place = place;
      if (!head) return;
      const [queries, keys, layer] = texts(state.name), query = exact ? place : behind(place);
      if (query >= head.queries || query < 0) return;
      const thin = head.step > 1, around = thin ? `, or a neighbour within ${head.step} tokens,` : "";
      const row = head.row(query), first = (key) => key % head.step === 0;
      const best = Heedful.largest(row.map((weight, key) => first(key) ? weight : 0), TOLD).map((key) => `${Heedful.quoted(keys[key])} ${Heedful.percent(row[key])}`);
      const made = !exact && index.start !== null && place >= index.start;
      const words = `${made ? `to make ${Heedful.quoted(queries[place])}, ` : ""}${Heedful.quoted(queries[query])}${around} looked at ${thin ? "most, in blocks that begin with, " : ""}${best.join(", ") || "nothing"}`;
      if (layer.queries === 0 && layer.keys === 0) strip.shade(exact ? query : place, row, head.sinks, numbers.checked);
      if (beside) { strip.shade(query, [], new Set(), false); beside.shade(-1, row, head.sinks, numbers.checked); }
      strip.say(words);
      lines.choose(query);
      lines.say(words);
      table(row, keys);
      if (steps && !exact) steps.at(place);
    }

    // The other direction: which queries looked at a key, each by its own share of what it gave away.
    function back(key) {
      const head = state.head;
      if (!head || key < 0 || key >= head.keys) return;
      const [queries, keys, layer] = texts(state.name), column = head.column(key), none = new Set();
      state.back = key;
      const best = Heedful.largest(column.map((weight, query) => query % head.step === 0 ? weight : 0), TOLD).map((query) => `${Heedful.quoted(queries[query])} ${Heedful.percent(column[query])}`);
      const words = `${Heedful.quoted(keys[key])} was looked at most by ${best.join(", ") || "nobody"}`;
      if (beside) { strip.shade(-1, column, none, numbers.checked); beside.shade(key, [], none, false); beside.say(words); }
      else if (layer.queries === 0 && layer.keys === 0) { strip.shade(key, column, none, numbers.checked); strip.say(words); }
      lines.read(key);
      lines.say(words);
      table(column, queries);
    }

    async function open(name) {
      select.value = name;
      state.name = name;
      let head;
      try { head = await source.head(name); } catch (error) { strip.say(error.message); return; }
      if (state.name !== name) return;
      const [queries, keys] = texts(name);
      if (lines.of !== queries || lines.to !== keys) { lines.texts(queries, keys); lines.of = queries; lines.to = keys; }
      state.head = head;
      lines.head(head);
      const weights = Heedful.palette("weights"), sunk = Heedful.palette("sunk");
      map.draw(queries, keys, (q, k) => [head.sinks.has(k) ? sunk : weights, Math.round(255 * head.share(q, k))], title());
      map.on((q, k) => `query ${q + 1} ${Heedful.quoted(queries[q])} → key ${k + 1} ${Heedful.quoted(keys[k])}: ${head.step > 1 ? "at most " : ""}${head.at(q, k).toFixed(4)}` +
        (head.sinks.has(k) ? " (a sink)" : ""), (q) => { state.place = q; look(q, true); });
      legend(head, keys);
      if (model) model.choose(name);
      if (mute) {
        const single = /^\d+\.\d+$/.test(name), layer = layers[Number(name.split(".")[0]) - 1];
        mute.hidden = saved || !single;
        mute.textContent = single && layer.silent.includes(Number(name.split(".")[1]) - 1) ? "Let this head speak" : "Mute this head";
      }
      look(state.place >= 0 ? state.place : index.start ?? Math.min(1, queries.length - 1));
      box.dispatchEvent(new CustomEvent("heedful:opened", { bubbles: true, detail: { head, queries, keys, title: title() } }));
    }

    function legend(head, keys) {
      const sinks = [...head.sinks], part = box.querySelector(".map");
      part.querySelector(".legend .top").textContent = Heedful.short(head.top);
      part.querySelector(".sinkscale").hidden = !sinks.length;
      part.querySelector(".sinktop").textContent = Heedful.short(head.sinkTop);
      part.querySelector(".thinned").textContent = head.step > 1 ? `each cell is the largest of ${head.step} × ${head.step}` : "";
      part.querySelector(".sinks").hidden = !sinks.length;
      part.querySelector(".sinks").textContent = sinks.length
        ? `Sinks, on a scale of their own: ${sinks.map((key) => `${Heedful.quoted(keys[key])} at ${key + 1}`).join(", ")}` : "";
    }

    select.addEventListener("change", () => open(select.value));
    numbers.addEventListener("change", () => look(state.place));
    if (mute) mute.addEventListener("click", () => toggle(state.name));
    if (between) between.addEventListener("change", () => {
      const first = (place) => place < index.split;
      lines.between({ "": () => true, 12: (q, k) => first(q) && !first(k), 21: (q, k) => !first(q) && first(k) }[between.value]);
    });
    box.querySelector(".row-numbers").addEventListener("toggle", () => look(state.place));
    box.heedful = { open, state, index };
    open([...select.options].some((option) => option.value === box.dataset.open) ? box.dataset.open : "mean");
  };

  Heedful.readings = (part) => part.querySelectorAll(".reading:not([data-ready])").forEach((box) => {
    box.dataset.ready = "";
    Heedful.reading(box);
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => Heedful.readings(document));
  else Heedful.readings(document);
}
