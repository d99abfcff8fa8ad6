import assert from "node:assert/strict";

import { story } from "../story.mjs";

story("the first owner comes in by the link, and lands on the overview", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    await owner.heading("Overview");
    assert.equal(owner.page.url(), `${portreeve.url}/console`);
    await owner.screen("overview-empty");
});

story("a link works once, and says so the second time", async (world) => {
    const portreeve = await world.portreeve();
    const link = await portreeve.ownerLink();
    const [first, second] = [await world.person(), await world.person()];
    await first.page.goto(link);
    await first.heading("Overview");

    second.excuse(/Failed to load resource/);
    await second.page.goto(link);
    assert.match(await second.text(), /used|expired/i);
    assert.match(await second.text(), /portreeve owner link/);
    await second.screen("link-used");
    await second.page.goto(`${portreeve.url}/console`);
    await second.heading(/Sign in/);
});

story("whoever is not signed in is asked to, and comes back to where they wanted to go", async (world) => {
    const portreeve = await world.portreeve();
    const person = await world.person();
    await person.page.goto(`${portreeve.url}/console/users?q=ada`);
    await person.heading(/Sign in/);
    const { pathname, searchParams } = new URL(person.page.url());
    assert.equal(pathname, "/sign-in");
    assert.equal(searchParams.get("return_to"), "/console/users?q=ada");
});
