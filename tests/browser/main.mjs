// What people do with Portreeve, in a real browser.
//
// Usage: node tests/browser/main.mjs [PART-OF-A-NAME…]
//
// Each story starts a server of its own. The program is STORIES_PROGRAM, the packages are in STORIES_PEERS, pictures
// of the screens go to STORIES_SCREENS. Ends with the line `N passed, N failed`.

import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";

import { openBrowser, stories, World } from "./story.mjs";

const PATIENCE = 180_000;
const failures = join(process.env.STORIES_SCREENS ?? "target/screens", "failures");
const log = process.env.STORIES_LOG ?? "/dev/null";

async function main(words) {
    const folder = join(import.meta.dirname, "stories");
    for (const file of (await readdir(folder)).sort()) await import(join(folder, file));
    await rm(failures, { recursive: true, force: true });
    await mkdir(failures, { recursive: true });
    await writeFile(log, "");
    await using browser = await openBrowser();
    let failed = 0;
    const chosen = stories.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
    for (const story of chosen) {
        const begun = performance.now();
        const error = await tell(browser, story);
        const seconds = ((performance.now() - begun) / 1000).toFixed(1);
        console.log(`${error ? "FAIL" : "ok  "} ${story.name} (${seconds} s)`);
        if (error) {
            failed += 1;
            console.log(stripVTControlCharacters(error.stack).replace(/^/gm, "     "));
        }
    }
    console.log(`${chosen.length - failed} passed, ${failed} failed`);
    return failed === 0 && chosen.length > 0;
}

/** Gives the error that a story ended with. */
async function tell(browser, { name, act }) {
    await using world = new World(browser, log);
    const patience = Promise.withResolvers();
    const timer = setTimeout(() => patience.reject(new Error("it took too long")), PATIENCE);
    try {
        await Promise.race([act(world), patience.promise]);
        for (const person of world.people) person.checkTroubles();
    } catch (error) {
        await world.picture(failures, name.replace(/[^a-z0-9]+/gi, "-"));
        return error;
    } finally {
        clearTimeout(timer);
    }
}

process.exit(await main(process.argv.slice(2)) ? 0 : 1);
