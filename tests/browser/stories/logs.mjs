import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { arrive } from "../company.mjs";
import { story } from "../story.mjs";

story("an auditor's question is narrowed down, saved for the team and exported", async (world) => {
    const portreeve = await world.portreeve();
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    const { people } = await arrive(directory);
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/logs`);
    await page.getByRole("link", { name: "Sync", exact: true }).click();
    await page.getByText("Narrow down").click();
    await page.getByLabel("About").fill(people.ada);
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByText("2 events").waitFor();
    await owner.screen("logs-narrowed");

    await page.getByRole("link", { name: "Save this view…" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("What became of Ada");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("is saved").waitFor();
    const views = page.getByRole("list", { name: "Saved views" });
    await owner.screen("logs-views");
    await views.getByRole("link", { name: "What became of Ada" }).click();
    await page.getByText("2 events").waitFor();
    assert.equal(new URL(page.url()).searchParams.get("object"), people.ada);

    const exported = async (name) => {
        const [download] = await Promise.all([
            page.waitForEvent("download"),
            page.getByRole("link", { name, exact: true }).click(),
        ]);
        return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
    };
    const [csvName, csv] = await exported("Export CSV");
    assert.equal(csvName, "events.csv");
    const [head, ...lines] = csv.trim().split("\r\n");
    assert.match(head, /^time,category,action,/);
    assert.equal(lines.length, 2);
    assert.ok(lines.every((line) => line.includes(people.ada)), csv);
    const [jsonName, json] = await exported("Export JSON");
    assert.equal(jsonName, "events.jsonl");
    assert.deepEqual(json.trim().split("\n").map((line) => JSON.parse(line).action), ["patch", "create"]);

    await views.getByRole("button", { name: "Remove" }).click();
    await page.getByText("The view is removed").waitFor();
    assert.equal(await views.count(), 0);
});

story("what happens while the log is open appears in it", async (world) => {
    const portreeve = await world.portreeve();
    const directory = await portreeve.directory("Contoso Entra", "--provider", "entra");
    const owner = await world.owner(portreeve);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console/logs?category=SCIM_SYNC`);
    await page.getByText("Nothing found").waitFor();
    await page.evaluate(() => { globalThis.stays = true; });
    await directory.user("aaron@contoso.example");
    await page.locator("#results").getByText("Contoso Entra created aaron@contoso.example").waitFor();
    assert.ok(await page.evaluate(() => globalThis.stays), "the page was loaded again");
});
