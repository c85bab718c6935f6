"use strict";
for (const both of document.querySelectorAll(".both")) {
  const dial = both.querySelector("input"), said = both.querySelector("output");
  const turn = () => {
    for (const pair of both.querySelectorAll(".pair")) {
      pair.hidden = pair.dataset.stop !== dial.value;
      if (!pair.hidden) said.textContent = pair.dataset.said;
    }
    dial.setAttribute("aria-valuetext", said.textContent);
  };
  dial.addEventListener("input", turn);
  turn();
}
