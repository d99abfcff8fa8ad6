// What a form would come to, while it is filled in: the page is asked for with what is written so far.

import { announce, debounce } from "./dom.js";
import { ask, takeOver } from "./refresh.js";

const PAUSE = 250;

function begin(form) {
  const id = form.dataset.preview;
  let asking = null;
  let asked = String(new URLSearchParams(new FormData(form)));

  const look = debounce(PAUSE, async () => {
    const query = String(new URLSearchParams(new FormData(form)));
    if (query === asked) return;
    asked = query;
    asking?.abort();
    const mine = asking = new AbortController();
    try {
      const page = await ask(`${form.getAttribute("action")}?${query}`, mine.signal);
      if (!page || mine.signal.aborted) return;
      takeOver(page, [id]);
      const said = [...document.getElementById(id).querySelectorAll("strong, .error, .alert-title")];
      if (said.length > 0) announce(said.map((part) => part.textContent).join(". "));
    } catch {
      // The button does the same.
    }
  });
  form.addEventListener("input", look);
}

export function start() {
  for (const form of document.querySelectorAll("form[data-preview]")) begin(form);
}
