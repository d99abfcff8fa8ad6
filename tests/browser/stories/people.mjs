import assert from "node:assert/strict";

import { arrive } from "../company.mjs";
import { story } from "../story.mjs";

/** A server with the company in a directory, and its owner at the console. */
async function company(world) {
    const portreeve = await world.portreeve();
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    const arrived = await arrive(directory);
    const owner = await world.owner(portreeve);
    return { portreeve, directory, arrived, owner };
}

story("an owner makes an admin, and everybody reads who did", async (world) => {
    const { owner, arrived, portreeve, directory } = await company(world);
    const { page } = owner;
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "Users" }).click();
    await owner.heading("Users");
    await owner.screen("users");
    await page.getByRole("searchbox").fill("haddad");
    await page.locator("#results").getByText("Ada Lovelace").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "Farid Haddad" }).click();
    await owner.heading("Farid Haddad");
    await page.getByText("Managed by").first().waitFor();
    await page.getByRole("link", { name: "Level…" }).click();
    await owner.screen("user-level");
    await page.getByRole("dialog").getByRole("radio", { name: "Admin" }).check();
    await page.getByRole("button", { name: "Change the level" }).click();
    await page.getByText("The level is changed").waitFor();
    await owner.screen("user");
    const user = await portreeve.api("GET", `/directories/${directory.id}/users/${arrived.people["farid.haddad"]}`);
    assert.equal(user.level, "admin");

    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "Logs" }).click();
    await owner.heading("Logs");
    await owner.screen("logs");
    await page.locator("#results").getByRole("link", { name: /^owner .*farid.haddad/i }).first().click();
    await page.getByRole("cell", { name: "admin" }).first().waitFor();
    await owner.screen("event");
});

story("a person appears in the list while it is open, and leaves it", async (world) => {
    const { owner, directory, portreeve } = await company(world);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/users`);
    await page.evaluate(() => { globalThis.stays = true; });
    const { id } = await directory.user("aaron@contoso.example", { displayName: "Aaron Newcomer" });
    await page.getByRole("row").filter({ hasText: "Aaron Newcomer" }).getByText("Active").waitFor();
    await directory.replace(id, "active", false);
    await page.getByRole("row").filter({ hasText: "Aaron Newcomer" }).getByText("Suspended").waitFor();
    assert.ok(await page.evaluate(() => globalThis.stays), "the page was loaded again");
});

story("a group shows where its members come from, and what its provider will not send", async (world) => {
    const { owner, portreeve } = await company(world);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/groups`);
    await owner.screen("groups");
    await page.getByRole("link", { name: "web-ops" }).click();
    await owner.heading("web-ops");
    await page.getByRole("row").filter({ hasText: "Chiara Bianchi" }).getByText("Contoso Entra").waitFor();
    await owner.screen("group");
    await page.goto(`${portreeve.url}/console/groups`);
    await page.getByRole("link", { name: "Everyone on call" }).click();
    await page.getByText(/nested|group.* in it|groups in it/i).first().waitFor();
    await owner.screen("group-nested");
});

story("somebody is a member for a while, beside those of the provider", async (world) => {
    const { owner, portreeve, directory, arrived } = await company(world);
    const { page } = owner;
    const group = `/console/groups/${directory.id}/${arrived.groups["web-ops"]}`;
    await page.goto(`${portreeve.url}${group}`);
    await page.getByRole("link", { name: "Add a member…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Who").fill("grace@contoso.example");
    const tomorrow = new Date(Date.now() + 24 * 3_600_000).toISOString().slice(0, 16);
    await dialog.getByLabel("Until").fill(tomorrow);
    await owner.screen("member-new");
    await dialog.getByRole("button", { name: "Add" }).click();
    await page.getByText("Grace Hopper is a member now").waitFor();
    const row = page.getByRole("row").filter({ hasText: "Grace Hopper" });
    assert.match(await row.locator("time").getAttribute("datetime"), new RegExp(`^${tomorrow}`));
    await row.getByText("Portreeve").waitFor();
    await owner.screen("group-local");
    await page.getByRole("row").filter({ hasText: "Ada Lovelace" }).getByText("Contoso Entra").waitFor();
    assert.equal(await page.getByRole("link", { name: "Remove…" }).count(), 1, "those of the provider are removed there");

    owner.excuse(/422/);
    await page.getByRole("link", { name: "Add a member…" }).click();
    await dialog.getByLabel("Who").fill("nobody@contoso.example");
    await dialog.getByRole("button", { name: "Add" }).click();
    await page.getByText("is nobody with that user name or id").waitFor();
    await owner.screen("member-unknown");
    assert.equal(await dialog.getByLabel("Who").inputValue(), "nobody@contoso.example", "what was written is still there");
    await page.keyboard.press("Escape");
    await row.getByRole("link", { name: "Remove…" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("The member is removed").waitFor();
    await row.waitFor({ state: "detached" });
});

story("every screen can be read at 200 % and at 320 pixels", async (world) => {
    const { portreeve, directory, arrived } = await company(world);
    const zoomed = await world.person({ viewport: { width: 640, height: 430 }, deviceScaleFactor: 2 });
    await zoomed.page.goto(await portreeve.ownerLink());
    for (const path of [
        "",
        "/users",
        `/users/${directory.id}/${arrived.people.ada}`,
        "/groups",
        `/groups/${directory.id}/${arrived.groups["web-ops"]}`,
        "/directories",
        `/directories/${directory.id}`,
        "/logs",
        "/settings/sign-in",
        "/settings/levels",
        "/settings/sessions",
        "/settings/api-tokens",
        "/settings/service-accounts",
        "/settings/owners",
        "/settings/team",
        "/me",
    ]) {
        await zoomed.page.goto(`${portreeve.url}/console${path}`);
        const overflow = await zoomed.page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(overflow <= 0, `${path} scrolls sideways by ${overflow} pixels`);
        await zoomed.screen(`all${path.replaceAll("/", "-").replace(/[0-9a-f]{8}-[0-9a-f-]+/g, "id")}`);
    }
});
