import assert from "node:assert/strict";

import { arrive, claims, tenant } from "../company.mjs";
import { story } from "../story.mjs";

/** A server with the company in a directory, whose people sign in at a provider. */
async function company(world, settings = {}) {
    const portreeve = await world.portreeve();
    const people = Object.fromEntries(["ada", "farid.haddad", "quentin.dubois"].map((name) => [name, claims(name)]));
    const provider = await world.provider({
        redirects: [portreeve.redirect],
        afterSignOut: [`${portreeve.url}/sign-in`],
        people,
    });
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    const arrived = await arrive(directory);
    await portreeve.connect(directory, provider, { tenant_id: tenant, ...settings });
    await portreeve.api("PATCH", `/directories/${directory.id}/users/${arrived.people.ada}`, { level: "owner" });
    return { portreeve, provider, directory, arrived };
}

/** Goes through the provider's pages. */
async function signIn({ page }, portreeve, name) {
    await page.goto(`${portreeve.url}/sign-in`);
    await page.getByRole("link", { name: /Contoso/ }).click();
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Allow" }).click();
    await page.waitForURL(`${portreeve.url}/**`);
}

story("an owner signs in at the provider and lands on the overview", async (world) => {
    const { portreeve } = await company(world);
    const ada = await world.person();
    await ada.page.goto(`${portreeve.url}/console`);
    await ada.screen("sign-in");
    await signIn(ada, portreeve, "ada");
    await ada.heading("Overview");
    await ada.page.getByText("Ada Lovelace").first().waitFor();
});

story("signing out ends the session here and at the provider", async (world) => {
    const { portreeve, provider } = await company(world);
    const ada = await world.person();
    await signIn(ada, portreeve, "ada");
    await ada.heading("Overview");
    await ada.page.getByRole("button", { name: "Sign out" }).click();
    await ada.page.waitForURL(`${provider.issuer}/**`);
    await ada.page.getByRole("button", { name: "Sign out here, too" }).click();
    await ada.page.waitForURL(`${portreeve.url}/**`);
    await ada.page.goto(`${portreeve.url}/console`);
    await ada.heading(/Sign in/);
    await ada.page.getByRole("link", { name: /Contoso/ }).click();
    await ada.page.getByLabel("Name").waitFor();
});

story("an open page of somebody who is suspended ends by itself", async (world) => {
    const { portreeve, directory, arrived } = await company(world);
    const ada = await world.person();
    await signIn(ada, portreeve, "ada");
    await ada.heading("Overview");
    ada.excuse(/40[13]/);
    await directory.replace(arrived.people.ada, "active", false);
    const suspended = performance.now();
    await ada.heading(/Sign in/);
    const seconds = (performance.now() - suspended) / 1000;
    assert.ok(seconds < 5, `it took ${seconds} s`);
});
story("a person signs in at the provider and sees their own page", async (world) => {
    const { portreeve, provider } = await company(world);
    const farid = await world.person();
    await signIn(farid, portreeve, "farid.haddad");
    await farid.heading("Farid Haddad");
    assert.equal(new URL(farid.page.url()).pathname, "/console/me");
    await farid.screen("me");

    const [asked] = provider.authorizations;
    assert.equal(asked.get("response_type"), "code");
    assert.equal(asked.get("code_challenge_method"), "S256");
    for (const name of ["nonce", "state", "code_challenge"]) assert.ok(asked.get(name)?.length >= 22, name);

    const answer = await farid.page.goto(`${portreeve.url}/console/users`);
    farid.excuse(/403/);
    assert.equal(answer.status(), 403);
    await farid.screen("forbidden");
});

story("who is refused reads why, and the admin finds the reference in the logs", async (world) => {
    const { portreeve, provider } = await company(world);
    const owner = await world.owner(portreeve);
    for (const [name, told, reason] of [
        ["quentin.dubois", /suspended/i, "suspended"],
        ["stranger", /not|no /i, "unknown_user"],
        ["foreigner", /tenant|organi[sz]ation/i, "wrong_tenant"],
    ]) {
        provider.person("stranger", { oid: "11111111-0000-4000-8000-000000000000", tid: tenant, name: "A Stranger" });
        provider.person("foreigner", { ...claims("ada"), tid: "22222222-0000-4000-8000-000000000000" });
        const person = await world.person();
        person.excuse(/40[13]/);
        await signIn(person, portreeve, name);
        const text = await person.text();
        assert.match(text, told, name);
        await person.screen(`refused-${reason}`);
        const reference = await person.page.locator(".reference code").innerText();

        await owner.page.goto(`${portreeve.url}/console/logs`);
        await owner.page.getByText("Narrow down").click();
        await owner.page.getByLabel("Request or reference").fill(reference);
        await owner.page.getByRole("button", { name: "Show" }).click();
        await owner.page.locator("#results").getByText(reason, { exact: true }).waitFor();
    }
    await owner.screen("logs-refused");
});
