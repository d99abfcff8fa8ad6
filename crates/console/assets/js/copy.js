// Buttons that copy a value.

import { announce, icon, toast } from "./dom.js";

export function start() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
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
