import assert from "node:assert/strict";

import { story } from "../story.mjs";

const MARKUP = `<img src=x onerror=alert(1)>`;
const NAMES = [
    MARKUP,
    `"><script>alert(1)</script>`,
    `' onmouseover='alert(1)`,
    "javascript:alert(1)",
    "\u202Egnp.exe\u202C",
    "{{7*7}}${7*7}",
];

story("names from a provider do not run", async (world) => {
    const portreeve = await world.portreeve();
    const directory = await portreeve.directory(MARKUP, "--provider", "entra");
    const ids = [];
    for (const [number, name] of NAMES.entries()) {
        const { id } = await directory.user(`p${number}${name}`, {
            displayName: name,
            externalId: name,
            title: name,
            nickName: name,
            profileUrl: "javascript:alert(1)",
            name: { givenName: name, familyName: name, formatted: name },
            emails: [{ value: name, type: name, primary: true }],
            photos: [{ value: "javascript:alert(1)", type: "photo" }],
        });
        ids.push(id);
    }
    const group = await directory.group(MARKUP, ...ids);
    await directory.replace(ids[0], "title", `${MARKUP}2`);
    const owner = await world.owner(portreeve);
    const { page } = owner;
    for (const path of [
        "",
        "/users",
        `/users?q=${encodeURIComponent(MARKUP)}`,
        ...ids.map((id) => `/users/${directory.id}/${id}`),
        "/groups",
        `/groups/${directory.id}/${group.id}`,
        "/directories",
        `/directories/${directory.id}`,
        "/logs",
        `/logs?object=${encodeURIComponent(MARKUP)}`,
    ]) {
        await page.goto(`${portreeve.url}/console${path}`);
        const injected = await page.evaluate(() => document.querySelectorAll(
            "main img, main script, [onerror], [onmouseover], a[href^='javascript:' i], [style]",
        ).length);
        assert.equal(injected, 0, path);
    }
    await page.goto(`${portreeve.url}/console/users`);
    await owner.screen("users-hostile");
    assert.ok((await owner.text()).includes(MARKUP));
});
