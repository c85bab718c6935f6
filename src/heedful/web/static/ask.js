"use strict";
{
  const form = document.getElementById("ask"), either = form ?? document.getElementById("compare");
  const answer = document.getElementById("answer");
  const busy = (words) => { const box = document.querySelector(".busy"); if (box) box.textContent = words; };

  // What htmx has put in is brought to life; what it says while it waits.
  const alive = () => { Heedful.readings(answer); heedfulOverlaid(answer); };
  document.addEventListener("htmx:after:swap", () => { busy(""); if (answer) alive(); });
  document.addEventListener("htmx:before:request", () => busy("reading …"));
  document.addEventListener("htmx:error", () => busy("the server does not answer"));
  document.addEventListener("htmx:after:request", () => busy(""));

  // A text file that is dropped, or pasted, fills the field it falls on.
  document.querySelectorAll("textarea").forEach((field) => {
    field.addEventListener("dragover", (event) => { event.preventDefault(); field.classList.add("over"); });
    field.addEventListener("dragleave", () => field.classList.remove("over"));
    field.addEventListener("drop", async (event) => {
      const [file] = event.dataTransfer.files;
      field.classList.remove("over");
      if (!file) return;
      event.preventDefault();
      field.value = (await file.text()).slice(0, 200000);
      field.focus();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); field.form.requestSubmit(); }
    });
  });

  const silent = form?.elements.silent, unmute = document.getElementById("unmute");
  if (form) {
    const again = () => { unmute.hidden = !silent.value; form.dispatchEvent(new Event({ "goes-on": "read", file: "again" }[form.dataset.kind] ?? "submit", { cancelable: true, bubbles: true })); };
    document.addEventListener("heedful:mute", (event) => {
      const heads = new Set(silent.value.split(" ").filter(Boolean));
      if (!heads.delete(event.detail)) heads.add(event.detail);
      silent.value = [...heads].join(" ");
      again();
    });
    if (unmute) unmute.addEventListener("click", () => { silent.value = ""; again(); });
    if (form.dataset.kind === "text") form.elements.text.addEventListener("input", () => { silent.value = ""; unmute.hidden = true; });
    if (form.dataset.kind === "goes-on") form.addEventListener("submit", (event) => { event.preventDefault(); silent.value = ""; unmute.hidden = true; stream(); });
    if (form.dataset.kind === "file") files();
  }

  // The continuation as it comes; once it is whole, what was read for it.
  async function stream() {
    const out = document.getElementById("stream"), fields = new FormData(form), number = (name) => Number(fields.get(name) || 0);
    const second = fields.get("second").trim(), prompt = second ? `${fields.get("text")}\n${second}` : fields.get("text");
    answer.replaceChildren();
    out.hidden = false;
    out.replaceChildren(Heedful.el("span", { textContent: prompt }));
    busy("making …");
    const asked = { run: form.dataset.run, input: prompt.replaceAll("\r\n", "\n"), max_tokens: number("max_tokens"), temperature: number("temperature"), top_k: number("top_k"), seed: number("seed") };
    const response = await fetch("/generate", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(asked) });
    if (!response.ok) { busy(""); out.append(Heedful.el("p", { className: "wrong", textContent: (await response.json()).error })); return; }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let held = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      held += value;
      const events = held.split("\n\n");
      held = events.pop();
      for (const event of events) {
        const [kind, data] = event.split("\n"), told = JSON.parse(data.slice(6));
        if (kind === "event: token") out.append(Heedful.el("span", { className: "made", textContent: told.text }));
        if (kind === "event: error") out.append(Heedful.el("p", { className: "wrong", textContent: told.error }));
      }
    }
    busy("");
    form.dispatchEvent(new Event("read"));
  }

  // A file that was dropped, chosen, drawn or spoken; the same one again when heads are muted.
  function files() {
    const chosen = form.querySelector("input[type=file]"), drop = form.querySelector(".drop"), hand = form.querySelector(".byhand");
    const send = async (file) => {
      last = file;
      busy("reading …");
      const asked = new URLSearchParams({ name: file.name, silent: silent.value });
      let text;
      try {
        const response = await fetch(`/run/${form.dataset.run}/answer/file?${asked}`, { method: "POST", body: file });
        text = await response.text();
        if ((response.headers.get("Content-Type") ?? "").includes("json")) text = "";
        if (!text) throw new Error();
      } catch { busy("the server does not answer, or the file is too large for it"); return; }
      busy("");
      answer.innerHTML = text;
      globalThis.htmx?.process(answer);
      alive();
    };
    const anew = (file) => { silent.value = ""; unmute.hidden = true; send(file); };
    let last = null;
    drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); if (event.dataTransfer.files[0]) anew(event.dataTransfer.files[0]); });
    form.addEventListener("submit", (event) => { event.preventDefault(); if (chosen.files[0]) anew(chosen.files[0]); });
    form.addEventListener("again", () => { if (last) send(last); });
    if (hand?.classList.contains("draw")) Heedful.drawing(hand, anew);
    if (hand?.classList.contains("speak")) Heedful.recording(hand, anew);
  }
}
