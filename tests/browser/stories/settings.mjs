import assert from "node:assert/strict";

import { arrive } from "../company.mjs";
import { story } from "../story.mjs";

/** Asks the API over the network with a token; the status of the answer. */
async function ask(portreeve, secret, path) {
    const answer = await fetch(`${portreeve.url}/api/v1${path}`, { headers: { "Authorization": `Bearer ${secret}` } });
    return answer.status;
}

story("an owner makes a token for oneself, uses it and revokes it", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/settings/api-tokens`);
    await page.getByRole("link", { name: "New API token…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Nightly export");
    await dialog.getByLabel("It lives for").selectOption("A year");
    await dialog.getByRole("checkbox", { name: "directory:read" }).check();
    await owner.screen("api-token-new");
    await dialog.getByRole("button", { name: "Make the token" }).click();
    const secret = await page.getByRole("textbox", { name: "Nightly export" }).inputValue();
    await owner.screen("api-token-made");
    assert.equal(await ask(portreeve, secret, "/directories"), 200);
    assert.equal(await ask(portreeve, secret, "/owners"), 403);

    await page.goto(`${portreeve.url}/console/settings/api-tokens`);
    assert.ok(!(await page.content()).includes(secret), "the token is shown again");
    const row = page.getByRole("row").filter({ hasText: "Nightly export" });
    await row.getByText("directory:read").waitFor();
    await row.getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("The token “Nightly export” is revoked").waitFor();
    await row.getByText("Revoked").waitFor();
    await owner.screen("api-tokens");
    assert.equal(await ask(portreeve, secret, "/directories"), 401);
});

story("a service account works through its token until it is suspended", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/settings/service-accounts`);
    await page.getByRole("link", { name: "New service account…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("backup");
    await dialog.getByRole("checkbox", { name: "directory:read" }).check();
    await dialog.getByRole("checkbox", { name: "event:read" }).check();
    await owner.screen("service-account-new");
    await dialog.getByRole("button", { name: "Make the account" }).click();
    await page.getByText("Now make a token for it").waitFor();
    await owner.screen("service-accounts");

    await page.getByRole("link", { name: "API tokens", exact: true }).click();
    await page.getByRole("link", { name: "New API token…" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("of the backup");
    await page.getByRole("dialog").getByLabel("It acts for").selectOption("backup");
    await page.getByRole("dialog").getByRole("checkbox", { name: "event:read" }).check();
    await page.getByRole("dialog").getByRole("button", { name: "Make the token" }).click();
    const secret = await page.getByRole("textbox", { name: "of the backup" }).inputValue();
    assert.equal(await ask(portreeve, secret, "/events"), 200);

    await page.getByRole("link", { name: "Service accounts", exact: true }).click();
    const row = page.getByRole("row").filter({ hasText: "backup" });
    for (const [button, state, status] of [["Suspend", "Suspended", 401], ["Reinstate", "Active", 200]]) {
        await row.getByRole("link", { name: `${button}…` }).click();
        await page.getByRole("dialog").getByRole("button", { name: button }).click();
        await page.getByText("backup is changed").waitFor();
        await row.getByText(state).waitFor();
        assert.equal(await ask(portreeve, secret, "/events"), status, button);
    }
    await row.getByRole("link", { name: "Delete…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("The service account is deleted").waitFor();
    assert.equal(await ask(portreeve, secret, "/events"), 401);
});

story("a second owner comes in by a link and removes the first", async (world) => {
    const portreeve = await world.portreeve();
    const first = await world.owner(portreeve);
    await first.page.goto(`${portreeve.url}/console/settings/owners`);
    await first.page.getByRole("link", { name: "New local owner…" }).click();
    await first.page.getByRole("dialog").getByLabel("Name").fill("Grace");
    await first.page.getByRole("dialog").getByRole("button", { name: "Make the owner" }).click();
    await first.page.getByText("Grace is a local owner now").waitFor();
    await first.screen("owners");

    const grace = await world.person();
    const { url } = await portreeve.cli("owner", "link", "Grace");
    await grace.page.goto(url);
    await grace.heading("Overview");
    await grace.page.goto(`${portreeve.url}/console/settings/owners`);
    const row = (name) => grace.page.getByRole("row").filter({ has: grace.page.getByText(name, { exact: true }) });
    const remove = async (name) => {
        await row(name).getByRole("link", { name: "Remove…" }).click();
        await grace.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    };
    first.excuse(/40[13]/);
    await remove("owner");
    await grace.page.getByText("The local owner is removed").waitFor();
    await first.heading(/Sign in/);

    grace.excuse(/422/);
    await remove("Grace");
    await grace.page.getByText(/last owner/).waitFor();
    await row("Grace").waitFor();
});

story("the active directory is switched, and a preview says who loses and who gains", async (world) => {
    const portreeve = await world.portreeve();
    await arrive(await portreeve.directory("Contoso Entra", "--provider", "entra"));
    await portreeve.cli("directory", "create", "Staff", "--provider", "native");
    await portreeve.api("POST", "/directories/Staff/users", { user_name: "zoe", display_name: "Zoë Winter" });
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/settings/team`);
    const block = page.getByRole("region", { name: "Active directory for machines" });
    const row = (name) => block.getByRole("row").filter({ hasText: name });
    const dialog = page.getByRole("dialog");
    // The first directory of a team is the active one, until somebody switches.
    await row("Contoso Entra").getByText("Yes").waitFor();
    await row("Staff").getByRole("link", { name: "Switch…" }).click();
    await dialog.getByText("15 would lose what it gives them").waitFor();
    await dialog.getByText("1 would gain it: Zoë Winter").waitFor();
    await owner.screen("active-preview");
    await dialog.getByRole("link", { name: "Cancel" }).click();
    await row("Contoso Entra").getByText("Yes").waitFor();
    await row("Staff").getByRole("link", { name: "Switch…" }).click();
    await dialog.getByRole("button", { name: "Switch" }).click();
    await row("Staff").getByText("Yes").waitFor();
    await owner.screen("team");
    const team = await portreeve.api("GET", "/teams/main");
    assert.equal(team.active_directory.name, "Staff");
});

story("provisioners are declared, a refused dialog keeps what was written, and one is removed", async (world) => {
    const portreeve = await world.portreeve();
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/settings/authority`);
    const block = page.getByRole("region", { name: "Provisioners" });
    await block.getByRole("row").filter({ hasText: "sshpop" }).getByText("there by itself").waitFor();

    await block.getByRole("link", { name: "New JWK…" }).click();
    const dialog = page.getByRole("dialog");
    await owner.screen("provisioner-jwk");
    await dialog.getByLabel("Name").fill("installer");
    await dialog.getByLabel("Password of a new key").fill("short");
    owner.excuse(/422/);
    await dialog.getByRole("button", { name: "Declare" }).click();
    await dialog.getByText(/fewer than 12 characters/).waitFor();
    assert.equal(await dialog.getByLabel("Name").inputValue(), "installer", "what was written stays");
    assert.equal(await dialog.getByLabel("Password of a new key").inputValue(), "", "but no secret");
    await owner.screen("provisioner-refused");
    await dialog.getByLabel("Password of a new key").fill("correct horse battery");
    await dialog.getByRole("button", { name: "Declare" }).click();
    await page.getByText("installer is a provisioner now").waitFor();
    const row = block.getByRole("row").filter({ hasText: "installer" });
    await row.getByText("JWK").waitFor();
    await owner.screen("provisioners");

    await block.getByRole("link", { name: "New OIDC…" }).click();
    await owner.screen("provisioner-oidc");
    await dialog.getByRole("link", { name: "Cancel" }).click();
    await row.getByRole("link", { name: "Remove…" }).click();
    await dialog.getByRole("button", { name: "Remove" }).click();
    await page.getByText("The provisioner is removed").waitFor();
    await row.waitFor({ state: "detached" });
});
