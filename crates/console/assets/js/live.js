// What changes on the server changes on the page: the change feed says what, and the parts that show it are asked for again.

import { ask, takeOver } from "./refresh.js";

const PAUSE = 250;
const PATIENCE = 5000;

export function start() {
  const url = document.body.dataset.liveUrl;
  if (!url) return;
  const waiting = new Set();
  let planned = 0;
  let asking = false;
  let pause = PAUSE;

  // While much happens the page is asked for again and again, with a rest each time that is longer than the answer took.
  const refresh = () => {
    if (!planned && !asking) planned = setTimeout(run, pause);
  };
  const run = async () => {
    planned = 0;
    asking = true;
    const began = performance.now();
    const ids = [...waiting];
    waiting.clear();
    try {
      const page = await ask(location.href);
      if (page) takeOver(page, ids, true);
    } catch {
      // The server is away, or has too much to do.
      ids.forEach((id) => waiting.add(id));
      setTimeout(refresh, PATIENCE);
      return;
    } finally {
      asking = false;
      pause = PAUSE + 2 * (performance.now() - began);
    }
    if (waiting.size > 0) refresh();
  };

  const touch = (concerns) => {
    for (const part of document.querySelectorAll("[data-live][id]")) {
      if (concerns(part.dataset.live.split(" "))) waiting.add(part.id);
    }
  };
  // Also where no part is live: whoever may not see the page any more is led away from it.
  const refreshAll = () => {
    touch(() => true);
    refresh();
  };

  let feed = null;
  let known = false;
  const open = () => {
    if (feed) return;
    feed = new EventSource(url);
    feed.addEventListener("open", () => {
      if (known) refreshAll();
      known = true;
    });
    feed.addEventListener("change", (event) => {
      const change = JSON.parse(event.data);
      touch((kinds) => kinds.includes("*") || kinds.includes(change.kind) || kinds.includes(change.category));
      if (waiting.size > 0) refresh();
    });
    feed.addEventListener("error", () => {
      // The server went away, or the session has ended. The browser connects again by itself, but not after a refusal.
      refreshAll();
      if (feed?.readyState === EventSource.CLOSED) {
        close();
        setTimeout(() => { if (!document.hidden) open(); }, PATIENCE);
      }
    });
  };
  const close = () => {
    feed?.close();
    feed = null;
  };

  // A window that nobody sees holds no connection: browsers have six for all windows of a server.
  document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  if (!document.hidden) open();
}
