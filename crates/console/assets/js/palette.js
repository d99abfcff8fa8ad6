// Ctrl-K: go anywhere by typing. A combobox as the ARIA practices describe it.

import { debounce, make } from "./dom.js";

const PAUSE = 100;

function pages() {
  const links = document.querySelectorAll(".navigation nav a");
  return [...links].map((link) => ({ label: link.querySelector("span").textContent, href: link.getAttribute("href"), kind: "Page" }));
}

function build() {
  const list = make("ul", { id: "palette-list", role: "listbox", "aria-label": "Places" });
  const input = make("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list",
    "aria-label": "Go to a page, user, group, host, directory or location", placeholder: "Go to a page, user, group, host, directory or location", autocomplete: "off", spellcheck: "false",
  });
  const dialog = make("dialog", { class: "palette", "aria-label": "Go to" }, input, list);
  document.body.append(dialog);
  return { dialog, input, list };
}

export function start() {
  const known = pages();
  if (known.length === 0) return;
  let parts;
  let choices = [];
  let chosen = 0;
  let asking = null;

  const choose = (index) => {
    chosen = index;
    [...parts.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    const item = parts.list.children[index];
    if (choices.length > 0) parts.input.setAttribute("aria-activedescendant", item.id);
    else parts.input.removeAttribute("aria-activedescendant");
    item?.scrollIntoView({ block: "nearest" });
  };

  const show = (found) => {
    choices = found;
    const items = found.map((choice, index) => {
      const item = make("li", { id: `palette-${index}`, role: "option" }, make("bdi", {}, choice.label));
      if (choice.detail) item.append(make("span", { class: "detail" }, choice.detail));
      item.append(make("span", { class: "kind" }, choice.kind));
      item.addEventListener("click", (event) => go(index, event.ctrlKey || event.metaKey));
      return item;
    });
    if (items.length === 0) items.push(make("li", { class: "none", role: "option", "aria-disabled": "true" }, "Nothing found"));
    parts.list.replaceChildren(...items);
    choose(0);
  };

  const matching = (text) => known.filter((page) => page.label.toLowerCase().includes(text));

  const find = debounce(PAUSE, async () => {
    const text = parts.input.value.trim();
    asking?.abort();
    if (text === "") return;
    asking = new AbortController();
    try {
      const answer = await fetch(`/console/palette?q=${encodeURIComponent(text)}`, { headers: { accept: "application/json" }, signal: asking.signal });
      if (answer.ok) show([...matching(text.toLowerCase()), ...(await answer.json())]);
    } catch {
      // The pages are known without the server.
    }
  });

  // Only places of this server: the answer names people, and nobody's name leads elsewhere.
  const go = (index, apart) => {
    const url = new URL(choices[index]?.href ?? "", location.href);
    if (!choices[index] || url.origin !== location.origin) return;
    parts.dialog.close();
    if (apart) open(url.href, "_blank", "noopener");
    else location.assign(url.href);
  };

  const openPalette = () => {
    if (!parts) {
      parts = build();
      parts.input.addEventListener("input", () => {
        show(matching(parts.input.value.trim().toLowerCase()));
        find();
      });
      parts.input.addEventListener("keydown", (event) => {
        const last = Math.max(choices.length - 1, 0);
        if (event.key === "ArrowDown") choose(chosen >= last ? 0 : chosen + 1);
        else if (event.key === "ArrowUp") choose(chosen <= 0 ? last : chosen - 1);
        else if (event.key === "Home" && choices.length > 0 && event.ctrlKey) choose(0);
        else if (event.key === "End" && choices.length > 0 && event.ctrlKey) choose(last);
        else if (event.key === "Enter") go(chosen, event.ctrlKey || event.metaKey);
        else return;
        event.preventDefault();
      });
    }
    if (parts.dialog.open) return;
    document.querySelector(".navigation:popover-open")?.hidePopover();
    parts.input.value = "";
    show(known);
    parts.dialog.showModal();
    parts.input.focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      openPalette();
    }
  });
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.hidden = false;
    button.addEventListener("click", openPalette);
  }
}
