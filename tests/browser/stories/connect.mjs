import assert from "node:assert/strict";

import { arrive, claims } from "../company.mjs";
import { Directory } from "../portreeve.mjs";
import { story } from "../story.mjs";

story("an admin connects a provider, whose people arrive without a reload", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.getByRole("link", { name: "Make a directory" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Contoso Entra");
    await page.getByRole("radio", { name: "Microsoft Entra ID" }).check();
    await owner.screen("directory-new");
    await page.getByRole("button", { name: "Make the directory" }).click();
    await owner.heading("Contoso Entra is made");

    const token = await page.getByRole("textbox", { name: "Secret token" }).inputValue();
    const url = await page.locator("main code").first().innerText();
    assert.match(url, /^http:\/\/localhost:\d+\/scim\/[0-9a-f-]{36}\/v2$/);
    await page.getByRole("link", { name: "Connect the provider" }).click();
    await owner.heading("Contoso Entra");
    assert.ok(!(await page.content()).includes(token), "the token is shown again");
    await owner.screen("directory-waits");

    // Nothing below loads the page again: what the provider sends shows by itself.
    await page.evaluate(() => { globalThis.stays = true; });
    await page.getByText("Waits for its provider", { exact: true }).waitFor();
    const directory = new Directory({ tenant_url: url, secret_token: token });
    await arrive(directory);
    await page.getByText("Connected", { exact: true }).waitFor();
    assert.equal(await page.locator("#steps li:not(.done)").count(), 0);
    assert.ok(await page.evaluate(() => globalThis.stays));

    await page.getByRole("link", { name: "Requests" }).click();
    await page.locator("#results").getByText("POST /Users").first().waitFor();
    await owner.screen("directory-requests");
    await page.getByRole("link", { name: "Connect" }).click();
    await page.getByRole("button", { name: /Test/ }).click();
    await page.locator("ol.probe li").first().waitFor();
    await owner.screen("directory-tested");
    await page.goto(`${portreeve.url}/console/directories`);
    await owner.screen("directories");
    await page.goto(`${portreeve.url}/console`);
    await owner.screen("overview");
});

story("a token is rotated while the provider goes on with the old one", async (world) => {
    const portreeve = await world.portreeve();
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    await directory.user("before@contoso.example");
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/directories/${directory.id}/tokens`);
    await page.getByRole("link", { name: "Rotate…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("2027");
    await dialog.getByLabel("How long the others go on").selectOption("An hour");
    await owner.screen("token-rotate");
    await dialog.getByRole("button", { name: "Rotate" }).click();
    await owner.heading("New secret token");
    const token = await page.getByRole("textbox", { name: "Secret token" }).inputValue();
    await owner.screen("token-made");

    await directory.user("old-token@contoso.example");
    await Object.assign(Object.create(directory), { token }).user("new-token@contoso.example");

    await page.getByRole("link", { name: "Back to the tokens" }).click();
    assert.ok(!(await page.content()).includes(token), "the token is shown again");
    await owner.screen("tokens");
    const old = page.getByRole("row").filter({ hasText: /minutes|in 1 hour/ });
    await old.getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("row").filter({ hasText: "Revoked" }).waitFor();
    await assert.rejects(directory.user("revoked@contoso.example"), /answered 401/);
    await Object.assign(Object.create(directory), { token }).user("still@contoso.example");
});

story("an admin connects single sign-on, and the doctor shows a trial", async (world) => {
    const portreeve = await world.portreeve();
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    await arrive(directory);
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/directories/${directory.id}/sign-in`);
    const redirect = await page.getByRole("region", { name: "Redirect URI" }).locator("code").innerText();
    assert.equal(redirect, portreeve.redirect);
    const provider = await world.provider({ redirects: [redirect], people: { ada: claims("ada") } });
    await page.getByLabel("Metadata URL").fill(provider.metadata);
    await page.getByLabel("Client id").fill(provider.client.id);
    await page.getByLabel("Client secret").fill(provider.client.secret);
    await page.getByLabel("Tenant id").fill(claims("ada").tid);
    await owner.screen("connection-new");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The connection is saved").waitFor();
    assert.ok(!(await page.content()).includes(provider.client.secret), "the secret is shown again");

    await page.getByRole("button", { name: "Examine the connection" }).click();
    const trial = await page.getByRole("region", { name: "Connection doctor" }).locator("code")
        .filter({ hasText: "/auth/openid/start" }).innerText();
    await owner.screen("connection-examined");
    const ada = await world.person();
    await ada.page.goto(trial);
    await ada.page.getByLabel("Name").fill("ada");
    await ada.page.getByRole("button", { name: "Continue" }).click();
    await ada.page.getByRole("button", { name: "Allow" }).click();
    await ada.page.waitForURL(`${portreeve.url}/**`);
    await ada.screen("trial-done");
    await page.getByRole("button", { name: "Look at the result" }).click();
    await page.getByText("This is Ada Lovelace").waitFor();
    await owner.screen("connection-trial");
});
