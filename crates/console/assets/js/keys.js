// Keys: `/` to search, `g` and a letter to go, `?` for help. Single letters can be switched off (WCAG 2.1.4), because somebody
// who speaks to the computer would press them without meaning to.

import { isWritten, kept, make } from "./dom.js";

const PATIENCE = 1200;

function help(jumps) {
  const list = make("dl");
  const line = (keys, what) => {
    const term = make("dt");
    keys.forEach((key) => term.append(make("kbd", {}, key), " "));
    list.append(term, make("dd", {}, what));
  };
  line(["Ctrl", "K"], "Go to anything");
  line(["/"], "Search");
  for (const link of jumps.values()) line(["g", link.dataset.key], link.querySelector("span").textContent);
  line(["?"], "This help");
  line(["Esc"], "Close what is open");
  const box = make("input", { type: "checkbox", id: "keys-on" });
  box.checked = kept.get("keys") !== "off";
  box.addEventListener("change", () => kept.set("keys", box.checked ? null : "off"));
  const choice = make("div", { class: "choice" }, box, make("label", { for: "keys-on" }, "Keys without Ctrl work"));
  const close = make("button", { type: "button", "data-close": "" }, "Close");
  const dialog = make("dialog", { class: "keys", "aria-labelledby": "keys-title" },
    make("h2", { id: "keys-title" }, "Keyboard"), list, choice, make("div", { class: "dialog-actions" }, close));
  document.body.append(dialog);
  return dialog;
}

export function start() {
  const links = document.querySelectorAll(".navigation a[data-key]");
  const jumps = new Map([...links].map((link) => [link.dataset.key, link]));
  if (jumps.size === 0) return;
  let dialog;
  let going = 0;

  const showHelp = () => {
    dialog ??= help(jumps);
    if (!dialog.open) dialog.showModal();
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (kept.get("keys") === "off" || isWritten(event.target) || document.querySelector("dialog[open]")) return;
    const now = Date.now();
    if (going > now) {
      going = 0;
      const link = jumps.get(event.key.toLowerCase());
      if (link) {
        event.preventDefault();
        link.click();
      }
    } else if (event.key === "g") {
      going = now + PATIENCE;
    } else if (event.key === "/") {
      const field = document.querySelector("form[data-search] input[type=search], input[type=search]");
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "?") {
      event.preventDefault();
      showHelp();
    }
  });
  for (const button of document.querySelectorAll("[data-keys-help]")) {
    button.hidden = false;
    button.addEventListener("click", showHelp);
  }
}
