import assert from "node:assert/strict";

import { story } from "../story.mjs";

/** The first line in which the pattern is found: what it found. */
async function printed(lines, pattern) {
    for await (const line of lines) {
        const found = pattern.exec(line);
        if (found) return found[0];
    }
    throw new Error(`${pattern} was not printed`);
}

story("a command line signs in by the browser of its machine", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    const { lines, signedIn } = portreeve.login();
    await owner.page.goto(await printed(lines, /http\S+\/auth\/cli\/authorize\S+/));
    await owner.heading("Let the command line sign in?");
    await owner.screen("cli-consent");
    await owner.page.getByRole("button", { name: "Let it sign in" }).click();
    const { who } = await signedIn;
    assert.deepEqual([who.name, who.level], ["owner", "owner"]);
    await owner.page.waitForURL("http://127.0.0.1:*/**");
    owner.excuse(/favicon/);
});

story("a command line without a browser signs in with a code", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    const { lines, signedIn } = portreeve.login("--no-browser");
    const code = await printed(lines, /\b[A-Z]{4}-[A-Z]{4}\b/);
    await owner.page.goto(`${portreeve.url}/auth/device`);
    await owner.screen("device");
    await owner.page.getByLabel("Code").fill(code.toLowerCase());
    await owner.page.getByRole("button", { name: "Continue" }).click();
    await owner.page.getByText(code).waitFor();
    await owner.screen("device-consent");
    await owner.page.getByRole("button", { name: /let it sign in/i }).click();
    const { who } = await signedIn;
    assert.equal(who.level, "owner");
    await owner.screen("device-done");
});
