"use strict";
{
  const PACE = 600;

  // A continuation token by token: what was made, what else was likely, where it looked.
  Heedful.steps = (box, index, go) => {
    const at = box.querySelector(".at"), play = box.querySelector(".play"), list = box.querySelector(".likely");
    const count = index.texts[0].length - index.start;
    let timer = 0;
    at.max = count - 1;
    const show = (step) => {
      at.value = step;
      at.setAttribute("aria-valuetext", `token ${step + 1} of ${count}`);
      const made = index.texts[0][index.start + step];
      list.replaceChildren(...(index.likely[step] ?? []).map(([token, share]) => {
        const item = Heedful.el("li", {}, Heedful.el("b", { textContent: token }), ` ${Heedful.percent(share)}`);
        item.classList.toggle("taken", token === made);
        return item;
      }));
    };
    const move = (step) => { const next = Heedful.clamp(step, 0, count - 1); show(next); go(index.start + next); };
    const stop = () => { clearInterval(timer); timer = 0; play.textContent = "Play"; };
    box.querySelector(".back").addEventListener("click", () => { stop(); move(Number(at.value) - 1); });
    box.querySelector(".on").addEventListener("click", () => { stop(); move(Number(at.value) + 1); });
    at.addEventListener("input", () => { stop(); move(Number(at.value)); });
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      if (Number(at.value) >= count - 1) move(0);
      play.textContent = "Stop";
      timer = setInterval(() => { if (!box.isConnected || Number(at.value) >= count - 1) stop(); else move(Number(at.value) + 1); }, PACE);
    });
    return { at(place) { if (place >= index.start) show(place - index.start); } };
  };
}
