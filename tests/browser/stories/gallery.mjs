import assert from "node:assert/strict";

import { Gallery } from "../gallery.mjs";
import { story } from "../story.mjs";

/** Looks at the pages of the gallery whose names are wanted, in these looks. */
async function look(world, wanted, ...looks) {
    await using gallery = await Gallery.open();
    const problems = [];
    const waiting = gallery.pages.filter(wanted);
    const walk = async () => {
        const person = await world.person();
        // Nobody answers what the page asks a server for.
        person.excuse(/Failed to load resource|EventSource/);
        for (let page = waiting.shift(); page; page = waiting.shift()) {
            await person.page.goto(`${gallery.url}/${page}.html`);
            await person.screen(`gallery-${page}`, ...looks).catch((error) => problems.push(error.message));
        }
    };
    await Promise.all([walk(), walk()]);
    assert.ok(problems.length === 0, problems.join("\n"));
}

const isHostile = (page) => page.startsWith("hostile-");

story("every page with made-up content can be read by everybody", (world) => look(world, (page) => !isHostile(page)));

// What is hostile about a name has no colour.
story("every page with hostile content can be read on a small screen", (world) => look(world, isHostile, "320"));
