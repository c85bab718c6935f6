"use strict";
{
  // Where the weights come from: the server, a head at a time and only when it is looked at, or the page itself where it was saved.
  const uints = (view, first, count) => Array.from({ length: count }, (_, i) => view.getUint32(first + 4 * i, true));

  function head(buffer) {
    const view = new DataView(buffer);
    const [queries, keys, step, size, count] = uints(view, 0, 5);
    const top = view.getFloat32(20, true), sinkTop = view.getFloat32(24, true);
    const sinks = new Set(uints(view, 28, count));
    const columns = Math.ceil(keys / step), full = size === 1 ? 255 : 65535;
    const raw = buffer.slice(28 + 4 * count), cells = size === 1 ? new Uint8Array(raw) : new Uint16Array(raw);
    const share = (query, key) => cells[Math.floor(query / step) * columns + Math.floor(key / step)] / full;
    const at = (query, key) => share(query, key) * (sinks.has(key) ? sinkTop : top);
    const row = (query) => Float32Array.from({ length: keys }, (_, key) => at(query, key));
    const column = (key) => Float32Array.from({ length: queries }, (_, query) => at(query, key));
    return { queries, keys, step, top, sinkTop, sinks, share, at, row, column };
  }

  const held = document.getElementById("heads") ? JSON.parse(document.getElementById("heads").textContent) : null;
  const kept = new Map();
  const fetched = async (address) => {
    const answer = await fetch(address, { headers: { Accept: "application/octet-stream" } });
    if (!answer.ok) throw new Error((await answer.json()).error);
    return answer.arrayBuffer();
  };
  const once = (key, make) => {
    if (!kept.has(key)) kept.set(key, make().catch((error) => { kept.delete(key); throw error; }));
    if (kept.size > 60) kept.delete(kept.keys().next().value);
    return kept.get(key);
  };

  Heedful.source = (run, id, layers) => ({
    head: (name) => once(`${run}/${id}/${name}`, async () =>
      head(held ? Heedful.decode(held[name]).buffer : await fetched(`/run/${run}/reading/${id}/head/${name}`))),
    names: (layer) => held && !held[`${layer + 1}.mean`] ? [] : [`${layer + 1}.mean`],
    async small(layer) {
      if (held) {
        const heads = await Promise.all(layers[layer].heads_names.map((name) => this.head(name)));
        const [queries, keys] = [heads[0].queries, heads[0].keys], step = Math.max(heads[0].step, Math.ceil(Math.max(queries, keys) / 40));
        const rows = Math.ceil(queries / step), columns = Math.ceil(keys / step);
        const cells = heads.map((one) => Uint8Array.from({ length: rows * columns }, (_, i) => {
          let most = 0;
          const q = Math.floor(i / columns) * step, k = (i % columns) * step;
          for (let a = q; a < Math.min(q + step, queries); a++) for (let b = k; b < Math.min(k + step, keys); b++) most = Math.max(most, one.share(a, b));
          return Math.round(255 * most);
        }));
        return { rows, columns, cells };
      }
      const buffer = await fetched(`/run/${run}/reading/${id}/small/${layer}`), view = new DataView(buffer);
      const rows = view.getUint32(0, true), columns = view.getUint32(4, true), all = new Uint8Array(buffer, 8);
      const cells = Array.from({ length: layers[layer].heads }, (_, i) => all.subarray(i * rows * columns, (i + 1) * rows * columns));
      return { rows, columns, cells };
    },
  });
}
