// Results while one types.

import { announce, debounce } from "./dom.js";
import { ask, takeOver } from "./refresh.js";

const PAUSE = 120;

function begin(form) {
  const input = form.querySelector("input[type=search]");
  let asking = null;
  let asked = input.value;

  const find = async () => {
    if (input.value === asked) return;
    asked = input.value;
    asking?.abort();
    const mine = asking = new AbortController();
    const url = new URL(form.getAttribute("action"), location.href);
    for (const [name, value] of new FormData(form)) if (value !== "") url.searchParams.set(name, value);
    form.classList.add("busy");
    try {
      const page = await ask(url.href, mine.signal);
      if (!page || mine.signal.aborted) return;
      history.replaceState(history.state, "", url);
      takeOver(page, ["results", "filters"]);
      const said = document.querySelector("#results .pager p")?.textContent;
      announce(said ?? "Nothing found");
    } catch (error) {
      if (error.name !== "AbortError") HTMLFormElement.prototype.submit.call(form);
    } finally {
      if (asking === mine) form.classList.remove("busy");
    }
  };

  input.addEventListener("input", debounce(PAUSE, find));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find();
  });
}

export function start() {
  for (const form of document.querySelectorAll("form[data-search]")) begin(form);
}
