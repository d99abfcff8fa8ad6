// OpenSSH and Smallstep's `step` as they are, against the certificate authority.
//
// Usage: node tests/step/main.mjs [PART-OF-A-NAME…]
//
// The program is STORIES_PROGRAM, the packages are in STORIES_PEERS, `step` is STORIES_STEP; without it the cases that need
// it are left out, and a line says so. Ends with the line `N passed, N failed`.

import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { cases } from "./case.mjs";
import { step } from "./machine.mjs";
import { Worlds } from "./world.mjs";

const PATIENCE = 120_000;
const log = process.env.STORIES_LOG ?? "/dev/null";

async function main(words) {
    const folder = join(import.meta.dirname, "cases");
    for (const file of (await readdir(folder)).sort()) await import(join(folder, file));
    await writeFile(log, "");
    const chosen = cases.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
    const told = chosen.filter(({ world }) => step || !world.needsStep);
    const leftOut = chosen.length - told.length;
    if (leftOut > 0) {
        console.log(`left out: ${leftOut} cases with Smallstep's step, which is not here; \`make interop\` builds it`);
    }
    await using worlds = new Worlds(log);
    let failed = 0;
    for (const one of told) {
        const begun = performance.now();
        const error = await tell(worlds, one);
        const seconds = ((performance.now() - begun) / 1000).toFixed(1);
        console.log(`${error ? "FAIL" : "ok  "} ${one.name} (${seconds} s)`);
        if (error) {
            failed += 1;
            console.log(error.stack.replace(/^/gm, "     "));
        }
    }
    console.log(`${told.length - failed} passed, ${failed} failed`);
    return failed === 0 && told.length > 0;
}

/** Gives the error that a case ended with. */
async function tell(worlds, { world, act }) {
    const patience = Promise.withResolvers();
    const timer = setTimeout(() => patience.reject(new Error("it took too long")), PATIENCE);
    try {
        const there = await Promise.race([worlds.of(world), patience.promise]);
        await using scene = await there.scene();
        await Promise.race([act(scene), patience.promise]);
    } catch (error) {
        return error;
    } finally {
        clearTimeout(timer);
    }
}

process.exit(await main(process.argv.slice(2)) ? 0 : 1);
