"use strict";
{
  const SIDE = 280, STEP = 10, ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

  // A sheet to draw on: with a mouse, a pen, a finger, or the arrow keys while the space bar holds the pen down.
  Heedful.drawing = (box, send) => {
    const sheet = box.querySelector("canvas"), ink = box.querySelector("[name=ink]"), thick = box.querySelector("[name=thick]");
    const negative = box.querySelector("[name=negative]"), brush = sheet.getContext("2d"), nib = box.querySelector(".nib");
    const wide = Number(box.dataset.size);
    let last = null, pen = [SIDE / 2, SIDE / 2], down = false;
    sheet.width = sheet.height = SIDE;
    thick.value = Math.round(Heedful.clamp(1.6 * SIDE / wide, 8, 40));
    const paper = () => negative?.checked ? "#000" : "#fff", colour = () => ink?.value ?? (negative?.checked ? "#fff" : "#000");
    const clear = () => {
      brush.fillStyle = paper();
      brush.fillRect(0, 0, SIDE, SIDE);
      box.dataset.drawn = "";
    };
    const stroke = (from, to) => {
      brush.strokeStyle = brush.fillStyle = colour();
      brush.lineWidth = Number(thick.value);
      brush.lineCap = brush.lineJoin = "round";
      brush.beginPath();
      brush.moveTo(...from);
      brush.lineTo(to[0] + 0.01, to[1]);
      brush.stroke();
      box.dataset.drawn = "1";
    };
    const place = (event) => {
      const edge = sheet.getBoundingClientRect();
      return [(event.clientX - edge.left) / edge.width * SIDE, (event.clientY - edge.top) / edge.height * SIDE];
    };
    const show = () => { nib.hidden = false; nib.style.cssText = `left:${100 * pen[0] / SIDE}%;top:${100 * pen[1] / SIDE}%`; nib.classList.toggle("down", down); };
    sheet.addEventListener("pointerdown", (event) => { sheet.setPointerCapture(event.pointerId); last = place(event); stroke(last, last); });
    sheet.addEventListener("pointermove", (event) => {
      if (!last) return;
      for (const part of event.getCoalescedEvents?.() ?? [event]) { const next = place(part); stroke(last, next); last = next; }
    });
    for (const end of ["pointerup", "pointercancel"]) sheet.addEventListener(end, () => { last = null; });
    sheet.addEventListener("keydown", (event) => {
      if (event.key === " ") { event.preventDefault(); if (!event.repeat) { down = !down; if (down) stroke(pen, pen); show(); } return; }
      const step = ARROWS[event.key];
      if (!step) return;
      event.preventDefault();
      const next = pen.map((at, axis) => Heedful.clamp(at + STEP * step[axis], 0, SIDE));
      if (down) stroke(pen, next);
      pen = next;
      show();
    });
    sheet.addEventListener("blur", () => { down = false; nib.hidden = true; });
    negative?.addEventListener("change", clear);
    box.querySelector(".clear").addEventListener("click", clear);
    box.querySelector(".ask").addEventListener("click", () => sheet.toBlob((blob) => send(new File([blob], "drawing.png", { type: "image/png" })), "image/png"));
    clear();
  };
}
