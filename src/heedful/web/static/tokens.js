"use strict";
{
  // A text whose tokens can be pointed at or reached with the arrow keys.
  Heedful.strip = (figure, names, options, chosen) => {
    const pane = figure.querySelector(".tokens"), spans = names.map((name, i) => {
      const span = Heedful.el("span", { textContent: Heedful.plain(name), className: options.made && i >= options.start ? "made" : "given" });
      span.setAttribute("role", "button");
      span.setAttribute("aria-label", `${i + 1}: ${name}`);
      if (name.includes("↵")) span.prepend(Heedful.el("i", { textContent: "↵" }));
      if (options.split === i) span.classList.add("second");
      return span;
    });
    pane.replaceChildren(...spans);
    const rove = Heedful.roving(spans, Heedful.along(spans.length), chosen);
    return {
      shade(place, row, sinks, numbers) {
        const looked = row.filter((_, key) => !sinks.has(key)), top = Math.max(1e-9, ...looked), sinkTop = Math.max(1e-9, ...[...sinks].map((key) => row[key] ?? 0));
        spans.forEach((span, i) => {
          const weight = row[i] ?? 0, share = weight / (sinks.has(i) ? sinkTop : top);
          span.classList.toggle("chosen", i === place);
          span.classList.toggle("seen", share > 0.02);
          span.classList.toggle("sink", sinks.has(i));
          span.style.setProperty("--w", share > 0.02 ? (0.1 + 0.9 * share).toFixed(3) : "0");
          if (numbers && share > 0.02) span.dataset.n = Heedful.percent(weight); else delete span.dataset.n;
        });
      },
      choose(place) { rove(place); },
      say(words) { figure.querySelector(".readout").textContent = words; },
    };
  };
}
