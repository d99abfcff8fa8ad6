import assert from "node:assert/strict";

import { arrive } from "../company.mjs";
import { story } from "../story.mjs";

story("everything can be reached by keyboard alone", async (world) => {
    const portreeve = await world.portreeve();
    await arrive(await portreeve.directory("Contoso Entra", "--provider", "entra"));
    const owner = await world.owner(portreeve);
    const { page } = owner;
    const { keyboard } = page;
    const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);

    await keyboard.press("Tab");
    assert.equal(await focused(), "Skip to the content");
    await keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");

    await keyboard.press("g");
    await keyboard.press("u");
    await owner.heading("Users");
    await keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    await keyboard.type("hopper");
    await page.locator("#results").getByText("Ada Lovelace").waitFor({ state: "detached" });
    assert.match(page.url(), /q=hopper/);
    await page.locator("#results").getByText("Grace Hopper").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.value), "hopper");

    await keyboard.press("Control+k");
    const palette = page.getByRole("dialog").filter({ has: page.getByRole("combobox") });
    await palette.waitFor();
    await keyboard.type("bianchi");
    await palette.getByRole("option", { name: /Chiara Bianchi/ }).waitFor();
    await owner.screen("palette");
    await keyboard.press("Enter");
    await owner.heading("Chiara Bianchi");

    await keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keyboard" });
    await help.waitFor();
    await owner.screen("shortcuts");
    await keyboard.press("Escape");
    await help.waitFor({ state: "hidden" });
});

story("what has the focus can be seen", async (world) => {
    const portreeve = await world.portreeve();
    await arrive(await portreeve.directory("Contoso Entra", "--provider", "entra"));
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/users`);
    for (let steps = 0; steps < 40; steps += 1) {
        await page.keyboard.press("Tab");
        const seen = await page.evaluate(() => {
            const it = document.activeElement;
            const style = getComputedStyle(it);
            const outline = style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 1;
            const name = `${it.tagName} ${it.textContent.trim().slice(0, 40)}`;
            const box = it.getBoundingClientRect();
            return { name, visible: it === document.body || ((outline || style.boxShadow !== "none") && box.width > 0) };
        });
        assert.ok(seen.visible, seen.name);
    }
});
