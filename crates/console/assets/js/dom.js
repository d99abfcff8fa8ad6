// Small helpers that the other scripts share.

/** An element with attributes and children; text is text, never markup. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** An icon of the page's sprite. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Has screen readers say something. The same words again are said again. */
export function announce(text) {
  const place = document.getElementById("announcer");
  if (!place) return;
  place.textContent = "";
  setTimeout(() => { place.textContent = text; }, 50);
}

/** Says something at the edge of the page. What went wrong stays until it is closed. */
export function toast(text, bad = false) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const close = make("button", { type: "button", class: "quiet icon-only", "aria-label": "Close" }, icon("Close"));
  const box = make("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : "status" }, make("p", {}, text), close);
  close.addEventListener("click", () => box.remove());
  place.append(box);
  if (!bad) setTimeout(() => box.remove(), 5000);
}

/** Whether somebody is writing into this element. */
export function isWritten(element) {
  return element instanceof HTMLElement && (element.isContentEditable || element.matches("input, textarea, select"));
}

/** Calls it once, when nobody has asked for that many milliseconds. */
export function debounce(milliseconds, call) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds, ...values);
  };
}

/** What this browser keeps for the person; nothing where it keeps nothing. */
export const kept = {
  get(name) {
    try { return localStorage.getItem(`portreeve.${name}`); } catch { return null; }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(`portreeve.${name}`);
      else localStorage.setItem(`portreeve.${name}`, value);
    } catch { /* It holds until the page is left. */ }
  },
};
