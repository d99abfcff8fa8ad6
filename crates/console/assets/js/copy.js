// Buttons that copy a value.

import { announce, icon, make, toast } from "./dom.js";

/** Without https a browser gives no clipboard to a page; what is marked can be copied all the same. */
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = make("textarea", { class: "hidden", readonly: true });
  field.value = text;
  const focused = document.activeElement;
  (focused?.closest("dialog") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  if (!done) throw new Error("not copied");
}

export function start() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    try {
      await copy(button.dataset.copy);
    } catch {
      toast("The browser does not let this page copy; mark the text and copy it yourself.", true);
      return;
    }
    announce("Copied");
    const old = button.querySelector(".icon");
    const done = icon("Check");
    old?.replaceWith(done);
    setTimeout(() => { if (old) done.replaceWith(old); }, 1500);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("input[data-select]")) event.target.select();
  });
}
