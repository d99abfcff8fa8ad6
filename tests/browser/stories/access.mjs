import assert from "node:assert/strict";

import { arrive, claims, tenant } from "../company.mjs";
import { story } from "../story.mjs";

const HOSTS = [
    ["bastion-eu", { env: "prod", role: "bastion", region: "eu" }, { is_bastion: true }],
    ["db-primary.eu-west-1.internal.contoso.example", { env: "prod", role: "db", region: "eu" }, { bastion: "bastion-eu" }],
    ["web-1", { env: "prod", role: "web", region: "eu" }],
    ["web-2", { env: "prod", role: "web", region: "us" }],
    ["web-test", { env: "test", role: "web", legacy: "yes" }],
];

/** The company with machines, its people signing in at a provider, and its owner at the console. */
async function company(world) {
    const portreeve = await world.portreeve();
    const provider = await world.provider({ redirects: [portreeve.redirect], people: { ada: claims("ada") } });
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    const arrived = await arrive(directory);
    await portreeve.connect(directory, provider, { tenant_id: tenant });
    for (const [name, tags, more] of HOSTS) await portreeve.api("POST", "/hosts", { name, tags, ...more });
    const owner = await world.owner(portreeve);
    return { portreeve, directory, arrived, owner };
}

/** Goes through the provider's pages, to one's own page. */
async function signIn({ page }, portreeve, name) {
    await page.goto(`${portreeve.url}/sign-in`);
    await page.getByRole("link", { name: /Contoso/ }).click();
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${portreeve.url}/console/me`);
}

story("a group is granted access with a preview, a person sees it, and it is revoked", async (world) => {
    const { portreeve, owner, arrived, directory } = await company(world);
    const { page } = owner;
    const ada = await world.person();
    await signIn(ada, portreeve, "ada");
    await ada.page.getByText(/No group of yours has access to any host/).waitFor();
    await ada.screen("me-nowhere");

    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await owner.heading("Hosts");
    await owner.screen("hosts");
    await page.getByRole("searchbox").fill("role=web and not legacy");
    await page.locator("#results").getByText("2 hosts").waitFor();
    await page.getByRole("searchbox").fill("role=web and )");
    await page.locator("#results").getByText(/stands where/).waitFor();
    await owner.screen("hosts-misread");

    await page.keyboard.press("Escape");
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "Access" }).click();
    await owner.heading("Access");
    await owner.screen("access-empty");
    await page.getByRole("link", { name: "New grant" }).first().click();
    await owner.heading("New grant");
    await page.getByRole("textbox", { name: "Name" }).or(page.getByRole("combobox", { name: "Name" })).fill("web-ops");
    const preview = page.locator("#preview");
    await preview.getByText("in Contoso Entra").waitFor();
    const hosts = page.getByRole("textbox", { name: "Hosts" });
    await hosts.fill("role=");
    await preview.getByText(/ends where/).waitFor();
    await owner.screen("grant-misread");
    await hosts.fill("role=web and not legacy");
    await preview.getByText("Matches 2 hosts").waitFor();
    await preview.getByText("For 3 people").waitFor();
    await preview.getByText("Adds 3 people").waitFor();
    await preview.getByText("6 logins on 2 hosts").waitFor();
    assert.equal(await hosts.inputValue(), "role=web and not legacy", "what is written stays");
    await page.getByRole("checkbox", { name: "With sudo" }).check();
    await page.getByRole("textbox", { name: "Why" }).fill("they run it");
    await owner.screen("grant-new");
    await page.getByRole("button", { name: "Grant", exact: true }).click();
    await page.getByText("web-ops may log in to the hosts").waitFor();
    await owner.screen("access");

    await ada.page.reload();
    await ada.page.getByRole("row").filter({ hasText: "web-1" }).getByText("ssh web-1").waitFor();
    await ada.page.getByText("portreeve ssh setup").waitFor();
    await ada.screen("me-hosts");

    await page.goto(`${portreeve.url}/console/users/${directory.id}/${arrived.people.ada}`);
    await page.getByRole("region", { name: "Hosts they may log in to" }).getByRole("link", { name: "web-2" }).click();
    await owner.heading("web-2");
    await page.getByRole("row").filter({ hasText: "ada@contoso.example" }).getByText("sudo").waitFor();
    await owner.screen("host");
    await page.getByRole("textbox", { name: "Who" }).or(page.getByRole("combobox", { name: "Who" })).fill("ada@contoso.example");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText(/^Yes: ada@contoso.example may log in to web-2/).waitFor();
    await owner.screen("explain-yes");
    const explained = page.url();

    await page.getByRole("link", { name: "Grants", exact: true }).click();
    await page.getByRole("row").filter({ hasText: "web-ops" }).getByRole("link", { name: "Revoke…" }).click();
    await owner.screen("grant-revoke");
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("The access of web-ops is revoked").waitFor();
    await page.goto(explained);
    await page.getByText(/^No: ada@contoso.example may not log in to web-2/).waitFor();
    await owner.screen("explain-no");
    await ada.page.reload();
    await ada.page.getByText(/No group of yours has access to any host/).waitFor();
});

story("temporary access is counted down, and ends at a click", async (world) => {
    const { portreeve, owner, arrived, directory } = await company(world);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/users/${directory.id}/${arrived.people.grace}`);
    await page.getByRole("link", { name: "Temporary access…" }).click();
    await owner.heading("New grant");
    assert.ok(await page.getByRole("radio", { name: /One person/ }).isChecked());
    await page.getByRole("textbox", { name: "Hosts" }).fill("role=db");
    await page.getByText("Adds 1 person").waitFor();
    await page.getByRole("combobox", { name: "For how long" }).selectOption("4 hours");
    await owner.screen("temporary-new");
    await page.getByRole("button", { name: "Grant", exact: true }).click();
    const row = page.getByRole("row").filter({ hasText: "Grace Hopper" });
    await row.getByText(/^3:59:\d\d left$/).waitFor();
    const before = await row.locator("time").textContent();
    await page.waitForFunction((text) => document.querySelector("time[data-countdown]").textContent !== text, before);
    await owner.screen("temporary");
    await row.getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("is revoked").first().waitFor();
    await page.getByText("No grants yet").waitFor();
});

story("the authority and account names are seen and changed", async (world) => {
    const { portreeve, owner, directory } = await company(world);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/settings/authority`);
    await page.getByRole("row").filter({ hasText: "SSH, people" }).waitFor();
    await owner.screen("authority");
    await page.getByRole("row").filter({ hasText: "SSH, people" }).getByRole("link", { name: "Rotate…" }).click();
    await owner.screen("authority-rotate");
    await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
    await page.getByText("The new key is made").waitFor();
    await page.getByText("Announced", { exact: true }).waitFor();
    await owner.screen("authority-rotated");

    await page.goto(`${portreeve.url}/console/directories/${directory.id}/accounts`);
    await page.getByText("chiarabianchi").waitFor();
    await page.getByRole("radio", { name: "A hyphen" }).check();
    await page.locator("#forecast").getByText("15 of 16 people would have an account").waitFor();
    await owner.screen("accounts-forecast");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Account names are made in this way").waitFor();
    await page.getByText("chiara-bianchi").waitFor();
    await owner.screen("accounts");
    await page.goto(`${portreeve.url}/console/certificates`);
    await page.getByText("No certificates yet").waitFor();
    await owner.screen("certificates-empty");
});
