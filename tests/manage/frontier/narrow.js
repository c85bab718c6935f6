const names = (parts) => parts.map((part) => part.className || part.tagName).slice(0, 3);
const parts = [...document.querySelectorAll("body *")].filter((part) => !part.closest(".wide") && part.getClientRects().length);
const beyond = parts.filter((part) => part.getBoundingClientRect().right > innerWidth + 1 || part.getBoundingClientRect().left < -1);
const written = [...document.querySelectorAll(".frontier *")].filter((part) => part.textContent.trim() && part.tagName !== "SCRIPT");
const small = written.filter((part) => parseFloat(getComputedStyle(part).fontSize) < 12);
return JSON.stringify([innerWidth, document.documentElement.scrollWidth <= innerWidth, names(beyond), names(small)]);
