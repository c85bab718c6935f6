"use strict";
{
  const ROW = 22, FAINT = 1 / 40, MOST = 60;

  // Lines from the words that look to the words looked at. Only what is in sight is drawn, so the length does not matter.
  Heedful.lines = (figure, chosen, read) => {
    const pane = figure.querySelector(".pane"), canvas = pane.querySelector("canvas");
    const left = pane.querySelector(".left"), right = pane.querySelector(".right");
    let head = null, place = -1, wanted = -1, between = () => true, spans = [];
    const fill = (list, names) => {
      const items = names.map((name, i) => Heedful.el("li", { textContent: name, title: `${i + 1}: ${name}` }));
      list.replaceChildren(...items);
      return items;
    };
    const colours = () => {
      const style = getComputedStyle(figure);
      return [style.getPropertyValue("--line0"), style.getPropertyValue("--line1")];
    };
    const draw = Heedful.soon(() => {
      if (!head || !pane.clientWidth) return;
      const ratio = devicePixelRatio || 1, width = pane.clientWidth, height = pane.clientHeight;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
      const brush = canvas.getContext("2d"), [plain, sunk] = colours(), top = pane.scrollTop;
      const from = left.offsetLeft + left.offsetWidth + 4, to = right.offsetLeft - 4;
      brush.scale(ratio, ratio);
      const first = Math.max(0, Math.floor(top / ROW) - 2), last = Math.min(head.queries, Math.ceil((top + height) / ROW) + 2);
      const one = place >= 0 || wanted >= 0, every = (begin, end) => Array.from({ length: Math.max(0, end - begin) }, (_, i) => begin + i);
      for (const query of place >= 0 ? [place] : wanted >= 0 ? every(0, head.queries) : every(first, last)) {
        const keys = [];
        for (const key of wanted >= 0 ? [wanted] : every(0, head.keys)) if (between(query, key) && head.share(query, key) > (one ? FAINT / 2 : FAINT)) keys.push(key);
        keys.sort((a, b) => head.share(query, b) - head.share(query, a));
        for (const key of keys.slice(0, MOST)) {
          const share = head.share(query, key), sink = head.sinks.has(key);
          brush.strokeStyle = sink ? sunk : plain;
          brush.globalAlpha = (one ? 1 : 0.55) * (0.12 + 0.88 * share);
          brush.lineWidth = one ? 1 + 3 * share : 1;
          brush.setLineDash(sink ? [3, 3] : []);
          brush.beginPath();
          brush.moveTo(from, query * ROW + ROW / 2 - top);
          brush.lineTo(to, key * ROW + ROW / 2 - top);
          brush.stroke();
        }
      }
      brush.globalAlpha = 1;
    });
    pane.addEventListener("scroll", draw);
    pane.addEventListener("pointerleave", () => { if (!pane.contains(document.activeElement)) { place = wanted = -1; mark(); draw(); } });
    new ResizeObserver(draw).observe(pane);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    const mark = () => {
      spans.forEach((span, i) => {
        const share = wanted >= 0 && i < head.queries && between(i, wanted) ? head.share(i, wanted) : 0;
        span.style.setProperty("--w", share > FAINT ? (0.1 + 0.9 * share).toFixed(3) : "0");
        span.classList.toggle("chosen", i === place);
      });
      [...right.children].forEach((item, key) => {
        const share = place >= 0 && between(place, key) ? head.share(place, key) : 0;
        item.style.setProperty("--w", share > FAINT ? (0.1 + 0.9 * share).toFixed(3) : "0");
        item.classList.toggle("sink", head.sinks.has(key));
        item.classList.toggle("chosen", key === wanted);
      });
    };
    return {
      texts(queries, keys) {
        spans = fill(left, queries);
        const items = fill(right, keys);
        place = wanted = -1;
        pane.style.setProperty("--rows", Math.max(queries.length, keys.length));
        spans.forEach((span) => span.setAttribute("role", "button"));
        Heedful.roving(spans, Heedful.along(spans.length), (query) => chosen(query));
        items.forEach((item) => item.setAttribute("role", "button"));
        Heedful.roving(items, Heedful.along(items.length), (key) => read(key));
      },
      head(next) { head = next; if (place >= 0 || wanted >= 0) mark(); draw(); },
      choose(query) {
        const inside = pane.matches(":hover") || pane.contains(document.activeElement), height = pane.clientHeight, middle = query * ROW - height / 2;
        if (!inside && (query * ROW < pane.scrollTop || (query + 1) * ROW > pane.scrollTop + height)) pane.scrollTop = middle;
        place = query;
        wanted = -1;
        if (head) mark();
        draw();
      },
      read(key) {
        place = -1;
        wanted = key;
        if (head) mark();
        draw();
      },
      between(rule) { between = rule; if (head) mark(); draw(); },
      say(words) { figure.querySelector(".readout").textContent = words; },
    };
  };
}
