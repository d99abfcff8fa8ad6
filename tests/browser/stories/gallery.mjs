import assert from "node:assert/strict";

import { Gallery } from "../gallery.mjs";
import { story } from "../story.mjs";

story("every page with made-up content can be read by everybody", async (world) => {
    await using gallery = await Gallery.open();
    const problems = [];
    const waiting = [...gallery.pages];
    const look = async () => {
        const person = await world.person();
        // Nobody answers what the page asks a server for.
        person.excuse(/Failed to load resource|EventSource/);
        for (let page = waiting.shift(); page; page = waiting.shift()) {
            await person.page.goto(`${gallery.url}/${page}.html`);
            // What is hostile about a name has no colour.
            const looks = page.startsWith("hostile-") ? ["320"] : [];
            await person.screen(`gallery-${page}`, ...looks).catch((error) => problems.push(error.message));
        }
    };
    await Promise.all([look(), look()]);
    assert.ok(problems.length === 0, problems.join("\n"));
});
