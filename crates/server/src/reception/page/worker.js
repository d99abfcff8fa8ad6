// Keeps the page of the tablet and its files, so that it starts where the server cannot be reached: whoever has to leave
// the house is called by the copy of the list that the page has. What the page asks for is never kept here.

const KEPT = `reception ${FILES.join(" ")}`;
const PAGE = /^\/visit\/[^/]+$/;

self.addEventListener("install", (event) => {
    event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("fetch", (event) => {
    const { request } = event;
    const { pathname } = new URL(request.url);
    if (FILES.includes(pathname)) {
        event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
    } else if (request.mode === "navigate" && PAGE.test(pathname)) {
        event.respondWith(page(request));
    }
});

/** Forgets what older ones have kept, and keeps the pages that are open already. */
async function takeOver() {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name)));
    await self.clients.claim();
    const open = await self.clients.matchAll({ type: "window" });
    // One that is being set up still has the address of that, and is the same page.
    const paths = open.map(({ url }) => new URL(url).pathname.match(/^\/visit\/[^/]+/)[0]);
    await caches.open(KEPT).then((kept) => kept.addAll([...new Set(paths)]));
}

/** The page as the server has it, else as it was. */
async function page(request) {
    try {
        const answer = await fetch(request);
        if (answer.ok) {
            const kept = await caches.open(KEPT);
            await kept.put(request, answer.clone());
        }
        return answer;
    } catch (error) {
        const kept = await caches.match(request);
        if (kept) return kept;
        throw error;
    }
}
