"use strict";
const Heedful = {};
{
  const palettes = {};
  const decode = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

  Object.assign(Heedful, {
    decode,
    clamp: (x, low, high) => Math.min(high, Math.max(low, x)),
    percent: (x) => `${(100 * x).toFixed(x !== 0 && Math.abs(x) < 0.1 ? 2 : 1)} %`,
    short: (x) => x === 0 ? "0" : Math.abs(x) < 0.001 ? x.toExponential(1) : x.toPrecision(3),
    plain: (token) => token.replaceAll("␣", " ").replaceAll("↵", "\n"),
    quoted: (token) => `“${token === " " ? "␣" : token}”`,
    palette(name) {
      if (!Object.keys(palettes).length) {
        const held = JSON.parse(document.getElementById("palette").textContent);
        for (const key of Object.keys(held)) palettes[key] = decode(held[key]);
      }
      return palettes[name];
    },
    el(name, properties = {}, ...children) {
      const made = Object.assign(document.createElement(name), properties);
      made.append(...children);
      return made;
    },
    largest(row, count) {
      const order = Array.from(row.keys()).filter((i) => row[i] > 0).sort((a, b) => row[b] - row[a]);
      return order.slice(0, count);
    },
    // One stop for Tab among many parts, arrow keys between them; `step` gives the next place for a key, or undefined.
    roving(parts, step, chosen) {
      const go = (place) => { parts.forEach((part, i) => { part.tabIndex = i === place ? 0 : -1; }); };
      parts.forEach((part, place) => {
        part.addEventListener("keydown", (event) => {
          if (event.ctrlKey || event.altKey || event.metaKey) return;
          const next = step(event.key, place);
          if (next === undefined || !parts[next]) return;
          event.preventDefault();
          parts[next].focus();
        });
        part.addEventListener("focus", () => { go(place); chosen(place, true); });
        part.addEventListener("pointerenter", () => chosen(place, false));
      });
      go(0);
      return go;
    },
    along: (count) => (key, place) => ({
      ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: count - 1,
      PageDown: Math.min(count - 1, place + 10), PageUp: Math.max(0, place - 10),
    })[key],
    soon(work) {
      let waiting = false;
      return () => {
        if (waiting) return;
        waiting = true;
        requestAnimationFrame(() => { waiting = false; work(); });
      };
    },
  });
}
