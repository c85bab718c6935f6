// The reader's keys: one item is "here"; a key presses the button that bears it, in that item or on the page.
"use strict";

const items = () => [...document.querySelectorAll("li.item")];
const typing = (node) => node.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
let here = null; // the data-item of the item that keys are for

function choose(item, focus = true) {
  if (!item) return;
  for (const other of items()) other.classList.toggle("here", other === item);
  here = item.dataset.item;
  if (focus) {
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }
}

function step(by) {
  const all = items(), at = all.findIndex((item) => item.dataset.item === here);
  choose(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function press(key) {
  const item = items().find((one) => one.dataset.item === here);
  const button = item?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`main section [data-key="${key}"], main .reader [data-key="${key}"]`);
  button?.click();
  return Boolean(button);
}

function selected() {
  const chosen = getSelection(), text = document.getElementById("text");
  return text && chosen.rangeCount && text.contains(chosen.anchorNode) && text.contains(chosen.focusNode) ? chosen.toString().trim() : "";
}

function highlight() {
  const form = document.querySelector("#body form"), quote = selected() || form?.elements.quote.value;
  if (!form) return;
  if (!quote) return tell("Select some words of the text first.");
  form.elements.quote.value = quote;
  form.requestSubmit();
}

let quiet = 0;
function tell(words) {
  const told = document.getElementById("told");
  told.textContent = words;
  clearTimeout(quiet);
  quiet = setTimeout(() => { told.textContent = ""; }, 4000);
}

const keys = {
  j: () => step(1), k: () => step(-1), "?": () => document.getElementById("keys").showModal(),
  "/": () => { const field = document.getElementById("q"); if (field) field.select(); else location.assign("/search"); },
  t: () => location.assign("/"), h: highlight,
  o: () => items().find((one) => one.dataset.item === here)?.querySelector("h2 a")?.click(),
};
keys.Enter = keys.o;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (typing(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  if (keys[event.key]) { keys[event.key](); event.preventDefault(); }
  else if (/^[a-z]$/.test(event.key) && press(event.key)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-key]");
  if (button?.dataset.key === "?") keys["?"]();
  if (button?.dataset.key === "h") highlight();
  choose(event.target.closest("li.item"), false);
});
document.addEventListener("focusin", (event) => { const item = event.target.closest("li.item"); if (item) choose(item, false); });
document.addEventListener("selectionchange", () => {
  const quote = selected(), form = document.querySelector("#body form");
  if (!quote || !form) return;
  form.elements.quote.value = quote;
  const shown = form.querySelector(".quote");
  shown.hidden = false;
  shown.textContent = `On: “${quote.length > 120 ? `${quote.slice(0, 119)}…` : quote}”`;
});
document.addEventListener("input", (event) => {
  if (event.target.type === "range") event.target.nextElementSibling.value = Number(event.target.value).toFixed(2);
});
document.getElementById("opml")?.addEventListener("change", async (event) => {
  const file = event.target.files[0];
  if (file) document.getElementById("where").value = await file.text();
});
for (const form of document.querySelectorAll("form[action='/start']")) {
  form.addEventListener("submit", () => { form.querySelector(".busy").textContent = "Asking the sources; this can take some seconds."; });
}

document.addEventListener("htmx:afterSwap", (event) => {
  const item = document.querySelector(`li.item[data-item="${here}"]`);
  if (item && event.detail.target.closest("li.item, .edition")) choose(item, !typing(document.activeElement));
});
document.addEventListener("htmx:responseError", (event) => {
  let words = event.detail.xhr.responseText;
  try { words = JSON.parse(words).error; } catch { words = new DOMParser().parseFromString(words, "text/html").body.textContent.trim(); }
  tell(words);
});
document.addEventListener("htmx:sendError", () => tell("The server does not answer."));

// Minutes in sight, so that the reader's own pace is learnt: counted only while the page is seen and something is done now and then.
const reader = document.querySelector("[data-reader]");
if (reader) {
  let seconds = 0, last = Date.now();
  for (const name of ["scroll", "pointermove", "keydown", "touchstart"]) document.addEventListener(name, () => { last = Date.now(); }, { passive: true });
  setInterval(() => {
    if (document.hidden || Date.now() - last > 90000) return;
    seconds += 1;
    document.getElementById("dwell").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    document.querySelector("#finished [name=minutes]").value = (seconds / 60).toFixed(2);
  }, 1000);
  fetch(`/item/${reader.dataset.reader}/opened`, { method: "POST" });
}
choose(items().find((item) => !item.classList.contains("done")) ?? items()[0], false);
