// What changes on the server changes on the page: the change feed says what, and the parts that show it are asked for again.

import { debounce } from "./dom.js";
import { ask, takeOver } from "./refresh.js";

const PAUSE = 250;

export function start() {
  const url = document.body.dataset.liveUrl;
  if (!url || !document.querySelector("[data-live]")) return;
  let waiting = new Set();
  let asking = null;

  const refresh = debounce(PAUSE, async () => {
    if (document.hidden || asking) return;
    const ids = waiting;
    waiting = new Set();
    if (ids.size === 0) return;
    asking = new AbortController();
    try {
      const page = await ask(location.href, asking.signal);
      if (page) takeOver(page, ids, true);
    } catch {
      // The server is away for a moment. When the feed is back, everything is asked for again.
      for (const id of ids) waiting.add(id);
    } finally {
      asking = null;
    }
    if (waiting.size > 0) refresh();
  });

  const touch = (concerns) => {
    for (const part of document.querySelectorAll("[data-live][id]")) {
      if (concerns(part.dataset.live.split(" "))) waiting.add(part.id);
    }
    if (waiting.size > 0) refresh();
  };

  let feed;
  let wasOpen = false;
  const open = () => {
    feed = new EventSource(url);
    feed.addEventListener("open", () => {
      if (wasOpen) touch(() => true);
      wasOpen = true;
    });
    feed.addEventListener("change", (event) => {
      const change = JSON.parse(event.data);
      touch((kinds) => kinds.includes("*") || kinds.includes(change.kind) || kinds.includes(change.category));
    });
    feed.addEventListener("error", () => {
      // The browser connects again by itself, but not after a refusal: then the session has ended, and asking leads there.
      if (feed.readyState === EventSource.CLOSED) {
        touch(() => true);
        setTimeout(open, 5000);
      }
    });
  };
  open();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting.size > 0) refresh(); });
  addEventListener("pagehide", () => feed.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
}
