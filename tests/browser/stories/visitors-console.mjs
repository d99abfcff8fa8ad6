import assert from "node:assert/strict";

import { arrive } from "../company.mjs";
import { freePort } from "../ports.mjs";
import { story } from "../story.mjs";

/** A company whose people visitors come to see, and its owner at the console. */
async function company(world, ...words) {
    const portreeve = await world.portreeve(...words);
    const directory = await portreeve.directory("Contoso visitors", "--provider", "entra", "--preset", "visitor-hosts");
    const { people } = await arrive(directory);
    return { portreeve, directory, people, owner: await world.owner(portreeve) };
}

const hour = 3_600_000;
/** A moment as the browser's field for one has it, by the clock of a time zone. */
const moment = (from, timeZone) => new Date(Date.now() + from).toLocaleString("sv", { timeZone }).slice(0, 16).replace(" ", "T");

/** What the tablet of a location does. */
class Tablet {
    constructor(portreeve, location, token) {
        Object.assign(this, { portreeve, location, token });
    }

    /** Signs a visitor in. */
    async signIn(visitor) {
        const answer = await fetch(`${this.portreeve.url}/visit/${this.location}/visits`, {
            method: "POST",
            headers: { "Authorization": `Bearer ${this.token}`, "Content-Type": "application/json", "Origin": this.portreeve.url },
            body: JSON.stringify(visitor),
        });
        const text = await answer.text();
        assert.equal(answer.status, 201, text);
        return JSON.parse(text);
    }
}

story("a location is made in the console, with its hours, its people and a tablet that is shown its token once", async (world) => {
    const { portreeve, owner } = await company(world);
    const { page } = owner;
    await page.goto(`${portreeve.url}/console`);
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "Visitors" }).click();
    await owner.heading("Visitors");
    await owner.screen("visitors-none");
    const tabs = page.getByRole("navigation", { name: "Visitors" });
    await tabs.getByRole("link", { name: "Locations" }).click();
    await owner.screen("locations-none", "light");
    await page.getByRole("main").getByRole("link", { name: "New location" }).first().click();
    await page.getByLabel("Name").fill("Vienna, main entrance");
    await page.getByLabel("Time zone").fill("Europe/Vienna");
    await page.getByLabel("Who is told otherwise").fill("Reception");
    await page.getByLabel("Their address").fill("reception@contoso.example");
    await owner.screen("location-new", "light", "320");
    await page.getByRole("button", { name: "Make the location" }).click();
    await page.getByText("Vienna, main entrance is made").waitFor();

    await page.getByLabel("Opening hours").fill("Mon-Fri 08:30-17:00\nSat 10:00-noon");
    await page.getByLabel("Groups").fill("Engineering");
    await page.getByLabel("First name and a letter").check();
    await page.getByLabel("Language at first").selectOption("German");
    await page.getByLabel("Consent to a picture").fill("I agree that my picture is on the badge.");
    owner.excuse(/422/);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("noon").waitFor();
    assert.match(await page.getByLabel("Opening hours").inputValue(), /Sat 10:00-noon/, "what was written is kept");
    await owner.screen("location-refused", "light");
    await page.getByLabel("Opening hours").fill("Mon-Fri 08:30-17:00\nSat 10:00-12:00");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The settings are saved").waitFor();

    await page.getByRole("link", { name: "New device…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Tablet at the main door");
    await owner.screen("device-new", "light");
    await dialog.getByRole("button", { name: "Make the device" }).click();
    const setup = await page.getByRole("textbox", { name: /Open this on/ }).inputValue();
    const token = await page.getByRole("textbox", { name: "Its token" }).inputValue();
    assert.ok(setup.startsWith(`${portreeve.url}/visit/`) && setup.endsWith(`/setup#${token}`), setup);
    await owner.screen("device-made");
    const [location] = await portreeve.api("GET", "/visit-locations");
    await page.goto(`${portreeve.url}/console/visitors/locations/${location.id}`);
    assert.ok(!(await page.content()).includes(token), "the token is shown again");
    assert.deepEqual([location.languages[0], location.names, location.group_names], ["de", "short", ["Engineering"]]);
    await owner.screen("location");
    await page.getByRole("navigation", { name: "Where you are" }).getByRole("link", { name: "Locations" }).click();
    await page.getByRole("row").filter({ hasText: "Vienna, main entrance" }).waitFor();
    await owner.screen("locations");
});

story("visitors are announced, come and are counted in the console, and leave", async (world) => {
    const { portreeve, directory, people, owner } = await company(world);
    const { page } = owner;
    const reception = { name: "Reception", email: "reception@contoso.example" };
    const vienna = await portreeve.api("POST", "/visit-locations", { name: "Vienna", time_zone: "Europe/Vienna", fallback: reception });
    await portreeve.api("POST", "/visit-locations", { name: "Graz, Science Park" });
    const { token } = await portreeve.api("POST", `/visit-locations/${vienna.id}/devices`, { name: "Tablet" });
    const tablet = new Tablet(portreeve, vienna.id, token);

    await page.goto(`${portreeve.url}/console/visitors`);
    await page.getByRole("link", { name: "Expect a visitor…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Visitor").fill("Charles Babbage");
    await dialog.getByLabel("Company").fill("Analytical Engines");
    await dialog.getByLabel("Comes to see").fill("nobody@contoso.example");
    await dialog.getByLabel("Location").selectOption("Vienna");
    await dialog.getByLabel("When").fill(moment(hour, "Europe/Vienna"));
    owner.excuse(/422/);
    await dialog.getByRole("button", { name: "Announce" }).click();
    await dialog.getByText("No directory for visitors has anybody").waitFor();
    assert.equal(await dialog.getByLabel("Company").inputValue(), "Analytical Engines", "what was written is kept");
    await owner.screen("expect-refused", "light", "320");
    await dialog.getByLabel("Comes to see").fill("ada@contoso.example");
    await dialog.getByRole("button", { name: "Announce" }).click();
    await page.getByText("Charles Babbage is expected").waitFor();
    const [announced] = await portreeve.api("GET", "/visits");
    assert.ok(Math.abs(new Date(announced.expected_at) - Date.now() - hour) < hour / 2, announced.expected_at);
    await owner.screen("visit-expected", "light");

    await page.goto(`${portreeve.url}/console/visitors`);
    const row = (name) => page.getByRole("row").filter({ hasText: name });
    await row("Charles Babbage").getByText("Expected", { exact: true }).waitFor();
    // The page hears of those who come by itself.
    await tablet.signIn({ visitor_host: people.ada, name: "Charles Babbage", company: "Analytical Engines" });
    await row("Charles Babbage").getByText("Here").waitFor();
    await tablet.signIn({ visitor_host: people["chiara.bianchi"], name: "Dietlinde Oberhuber-Wagenknecht", company: "Gebrüder Thun & Söhne Aufzugsbau" });
    await tablet.signIn({ visitor_host: null, name: "Ivo Müller" });
    await row("Ivo Müller").getByText("nobody they knew").waitFor();
    await directory.replace(people["chiara.bianchi"], "active", false);
    await row("Dietlinde").getByText("Not found any more").waitFor();
    await owner.screen("visits");
    await page.getByRole("link", { name: "Expected", exact: true }).click();
    await page.getByText("Nothing found").waitFor();
    await page.goto(`${portreeve.url}/console/visitors`);
    await row("Dietlinde").getByRole("link", { name: "Dietlinde" }).click();
    await page.getByText("Whom they come to see is gone").waitFor();
    await owner.screen("visit");

    await page.goto(`${portreeve.url}/console/visitors/roll-call?location=${vienna.id}`);
    await page.getByText("3 visitors in the house").waitFor();
    await owner.screen("roll-call");
    await page.emulateMedia({ media: "print" });
    assert.ok(!await page.getByRole("button", { name: "Print" }).isVisible(), "paper has no buttons");
    assert.ok(!await page.getByRole("navigation", { name: "Console" }).isVisible(), "paper has no navigation");
    await page.screenshot({ path: `${process.env.STORIES_SCREENS ?? "target/screens"}/roll-call-print.png` });
    await page.emulateMedia({ media: null });

    await page.goto(`${portreeve.url}/console/visitors`);
    await row("Ivo Müller").getByRole("button", { name: "Sign out" }).click();
    await page.getByText("Ivo Müller is signed out").waitFor();
    await row("Ivo Müller").getByText("Gone").waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export CSV" }).click()]);
    assert.equal(download.suggestedFilename(), "visits.csv");
});

story("mails about visitors that cannot be sent are seen in the console, with why", async (world) => {
    const port = await freePort();
    const { portreeve, people, owner } = await company(world, "--smtp-server", `smtp://127.0.0.1:${port}`, "--smtp-from", "portreeve@contoso.example");
    const { page } = owner;
    const vienna = await portreeve.api("POST", "/visit-locations", { name: "Vienna" });
    await portreeve.api("POST", "/visits", {
        location: vienna.id, visitor_host: people.ada, name: "Charles Babbage", expected_at: new Date(Date.now() + hour).toISOString(),
    });
    await page.goto(`${portreeve.url}/console/visitors`);
    const alert = page.getByText("1 mail waits to be sent");
    while (!await alert.isVisible()) await page.reload();
    await owner.screen("visitors-waiting");
});

story("the console says why visitors do not find somebody, and what they see of others", async (world) => {
    const { portreeve, directory, people, owner } = await company(world);
    const { page } = owner;
    await portreeve.api("POST", "/visit-locations", { name: "Vienna" });
    await portreeve.api("POST", "/visit-locations", { name: "Graz, Science Park", groups: ["Engineering"], names: "short", departments: false });
    await page.goto(`${portreeve.url}/console/visitors/people`);
    await owner.heading("Visitor hosts");
    const row = (name) => page.getByRole("row").filter({ hasText: name });
    await row("Quentin Dubois").getByText("Not visible: unassigned").waitFor();
    await owner.screen("visitor-hosts");
    await page.getByLabel("Name, nickname, department or address").fill("sorensen");
    await row("Ada Lovelace").waitFor({ state: "detached" });
    await row("Ingrid Sørensen").getByRole("link").click();
    await owner.heading("Ingrid Sørensen");
    await row("Graz").getByText("in none of the groups").waitFor();

    await page.goto(`${portreeve.url}/console/visitors/people/${directory.id}/${people.ada}`);
    await row("Graz").getByText("Ada L.").waitFor();
    await owner.screen("visitor-host");
    await page.getByLabel("Hidden from visitors").check();
    await page.getByLabel("Also told of visitors").fill("the desk");
    owner.excuse(/422/);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByText("is no mail address").waitFor();
    await page.getByLabel("Also told of visitors").fill("desk@contoso.example");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Not visible: hidden by hand").waitFor();
    await owner.screen("visitor-host-hidden");

    await page.getByRole("link", { name: "As a user" }).click();
    await page.getByRole("region", { name: "For visitors" }).getByText("Not visible: hidden by hand").waitFor();
    await owner.screen("user-for-visitors", "light");
    await page.keyboard.press("Control+K");
    await page.getByRole("combobox").fill("science");
    await page.getByRole("option", { name: /Graz/ }).waitFor();
    await page.keyboard.press("Enter");
    await owner.heading("Graz, Science Park");
});
