import assert from "node:assert/strict";

import { arrive } from "../company.mjs";
import { Machine } from "../machine.mjs";
import { freePort } from "../ports.mjs";
import { story } from "../story.mjs";

/** The company, whose web-ops may log in to web servers, and its owner at the console. */
async function company(world) {
    const portreeve = await world.portreeve("--ca-listen", `127.0.0.1:${await freePort()}`);
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    const { people } = await arrive(directory);
    await portreeve.api("POST", "/grants", { group: "web-ops", hosts: "role=web", sudo: true });
    return { portreeve, directory, people, owner: await world.owner(portreeve) };
}

/** Makes a token for web servers in the console, and gives the command that is shown once. */
async function token(owner) {
    const { page } = owner;
    await page.getByRole("link", { name: "New token…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: /^Name\b/ }).fill("Web servers");
    await dialog.getByLabel("Names of the hosts").fill("web-*");
    await dialog.getByLabel("Tags of the hosts").fill("role=web");
    await dialog.getByLabel("How many may enrol").fill("3");
    await dialog.getByLabel("It works for").selectOption("1 day");
    await owner.screen("enrolment-new");
    await dialog.getByRole("button", { name: "Make the token" }).click();
    const command = await page.getByRole("textbox", { name: /Run as root/ }).inputValue();
    await owner.screen("enrolment-made");
    return command;
}

story("a machine enrols with a token from the console, falls behind, and says what is in its way", async (world) => {
    const { portreeve, directory, people, owner } = await company(world);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/hosts`);
    await page.getByRole("navigation", { name: "Hosts" }).getByRole("link", { name: "Enrolment" }).click();
    await owner.heading("Enrolment");
    await owner.screen("enrolment-empty");
    const command = await token(owner);
    const machine = await Machine.enrol("web-1", command);
    await Machine.enrol("web-2", command);
    await page.goto(`${portreeve.url}/console/hosts/enrolment`);
    await page.getByRole("row").filter({ hasText: "web-*" }).getByText("2 of 3").waitFor();
    assert.ok(!(await page.content()).includes(command), "the command is shown again");

    const policy = await machine.peopled();
    assert.deepEqual(policy.accounts.map((account) => account.name).sort(), ["ada", "chiarabianchi", "faridhaddad"]);
    await machine.report(policy, {
        conflicts: [{ account: "faridhaddad", reason: "name_taken", detail: "/etc/passwd has it with the number 1000" }],
        doctor: [
            { check: "nscd", verdict: "warn", detail: "nscd runs and keeps memberships for an hour" },
            { check: "sshd", verdict: "ok", detail: "" },
        ],
        sessions: [{ id: "1", session: "s1", kind: "login", at: new Date().toISOString(), account: "ada", address: "192.0.2.7" }],
    });
    await page.getByRole("navigation", { name: "Hosts" }).getByRole("link", { name: "Fleet" }).click();
    await owner.heading("Fleet");
    const row = (name) => page.getByRole("row").filter({ hasText: name });
    await row("web-1").getByText("1 conflict").waitFor();
    await row("web-2").getByText("Never reported").waitFor();
    await directory.replace(people.ada, "active", false);
    await machine.policy(policy.version);
    await page.reload();
    await row("web-1").getByText("Behind").waitFor();
    await owner.screen("fleet");
    await page.getByRole("link", { name: "Never reported", exact: true }).click();
    await row("web-1").waitFor({ state: "detached" });
    await row("web-2").waitFor();

    await page.goto(`${portreeve.url}/console/hosts/${machine.id}`);
    await owner.heading("web-1");
    await page.getByRole("region", { name: "Not done there" }).getByText("Remove or rename the account").waitFor();
    await page.getByRole("region", { name: "Logged in now" }).getByRole("link", { name: "Ada Lovelace" }).waitFor();
    await page.getByRole("region", { name: "What its doctor found" }).getByText("nscd runs").waitFor();
    await owner.screen("host-agent");

    await page.goto(`${portreeve.url}/console/hosts/enrolment`);
    await row("web-*").getByRole("link", { name: "Revoke…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByText("The token “Web servers” is revoked").waitFor();
    await assert.rejects(Machine.enrol("web-3", command), /revoked/);
});

story("somebody leaves, hosts say that they are shut out, and what they left is removed", async (world) => {
    const { portreeve, directory, people, owner } = await company(world);
    const { page } = owner;
    // Without an agent: it goes by certificates, and the report says how many of them count.
    await portreeve.api("POST", "/hosts", { name: "web-old", tags: { role: "web" } });
    await page.goto(`${portreeve.url}/console/hosts/enrolment`);
    const machine = await Machine.enrol("web-1", await token(owner));
    await machine.report(await machine.peopled());
    await page.goto(`${portreeve.url}/console/users/${directory.id}/${people.ada}`);
    await page.getByRole("link", { name: "Offboarding" }).click();
    await owner.heading("Offboarding");
    await page.getByText("May log in on 1 of 1 host").waitFor();

    await directory.replace(people.ada, "active", false);
    let policy = await machine.policy();
    while (policy.accounts.some((account) => account.id === people.ada && account.access)) policy = await machine.policy(policy.version);
    const since = new Date().toISOString();
    await machine.report(policy, { denied: [{ id: people.ada, since, sessions_ended: 2, home: true, crontab: true, had_sudo: true }] });
    await page.reload();
    await page.getByText("Denied on 1 of 1 host, acknowledged by 1. Hosts without an agent go by certificates; no certificate of theirs counts.").waitFor();
    const row = (name) => page.getByRole("row").filter({ hasText: name });
    await row("web-1").getByText("home directory, crontab, 2 sessions ended").waitFor();
    await owner.screen("offboarding");

    const dialog = page.getByRole("dialog");
    await page.getByRole("link", { name: "What would be removed…" }).click();
    await owner.screen("offboarding-look");
    await dialog.getByRole("button", { name: "Ask" }).click();
    await row("web-1").getByText("Asked what would be").waitFor();
    assert.deepEqual(await machine.report(policy), [{ id: people.ada, account: "ada", dry_run: true }]);
    const paths = ["/home/ada", "/var/spool/cron/crontabs/ada"];
    // The page hears of it by itself.
    await machine.report(policy, { removed: [{ id: people.ada, dry_run: true, paths }] });
    await row("web-1").getByText("Would be removed").waitFor();
    await row("web-1").getByText("2 lines").click();
    await row("web-1").getByText(paths[1]).waitFor();
    await owner.screen("offboarding-would");

    await page.getByRole("link", { name: "Remove data…" }).click();
    await dialog.getByRole("checkbox", { name: "web-1" }).uncheck();
    owner.excuse(/422/);
    await dialog.getByRole("button", { name: "Remove data" }).click();
    await dialog.getByText("Choose a host").waitFor();
    await owner.screen("offboarding-refused");
    await dialog.getByRole("checkbox", { name: "web-1" }).check();
    await dialog.getByRole("button", { name: "Remove data" }).click();
    await page.getByText("The hosts are told").waitFor();
    assert.equal((await machine.report(policy))[0].dry_run, false);
    await machine.report(policy, { removed: [{ id: people.ada, dry_run: false, paths }] });
    await row("web-1").getByText("Removed", { exact: true }).first().waitFor();
    await owner.screen("offboarding-removed");
    const report = await portreeve.cli("user", "offboarding", "ada@contoso.example");
    assert.equal(report.hosts.find((host) => host.name === "web-1").state, "removed");
});
