// Starts everything. Each part works without the others, and the page without any of them.

import { icon, kept } from "./dom.js";
import * as times from "./times.js";
import * as live from "./live.js";
import * as search from "./search.js";
import * as preview from "./preview.js";
import * as dialogs from "./dialogs.js";
import * as copy from "./copy.js";
import * as forms from "./forms.js";
import * as palette from "./palette.js";
import * as keys from "./keys.js";
import * as passkey from "./passkey.js";
import * as print from "./print.js";

const THEMES = [["system", "as the system"], ["light", "light"], ["dark", "dark"]];

/** A button that goes through the system's colours, light and dark. */
function themes() {
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    const show = () => {
      const theme = document.documentElement.dataset.theme ?? "system";
      const [, word] = THEMES.find(([name]) => name === theme) ?? THEMES[0];
      button.setAttribute("aria-label", `Colours: ${word}`);
      button.title = `Colours: ${word}`;
      button.replaceChildren(icon(theme === "dark" ? "Moon" : "Sun"));
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      const now = THEMES.findIndex(([name]) => name === (document.documentElement.dataset.theme ?? "system"));
      const [next] = THEMES[(now + 1) % THEMES.length];
      if (next === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      kept.set("theme", next === "system" ? null : next);
      show();
    });
    show();
  }
}

for (const part of [times, dialogs, search, preview, copy, forms, palette, keys, passkey, print, live]) part.start();
themes();
