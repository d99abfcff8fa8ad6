import assert from "node:assert/strict";

import { story } from "../story.mjs";

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const screens = process.env.STORIES_SCREENS ?? "target/screens";
const TABLET = { viewport: { width: 1180, height: 820 }, hasTouch: true, permissions: ["camera"], locale: "en-GB", timezoneId: "America/New_York" };

/** Somebody whom visitors come to see. */
function host(givenName, familyName, department) {
    const displayName = `${givenName} ${familyName}`;
    const address = `${givenName}.${familyName}@contoso.example`.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    const emails = [{ type: "work", value: address, primary: true }];
    return [address, { displayName, name: { givenName, familyName }, emails, [ENTERPRISE]: { department } }];
}

/** A house with people in it, a door, and a tablet that is set up there by its link. */
async function house(world, settings = {}, options = TABLET, prepare = () => {}, words = []) {
    const portreeve = await world.portreeve(...words);
    const directory = await portreeve.directory("Visitor hosts", "--provider", "entra", "--preset", "visitor-hosts");
    const people = {};
    for (const [first, last, department] of [
        ["Ada", "King", "Engines"],
        ["Jürgen", "Núñez", "Engines"],
        ["Adam", "Smith", "Law"],
        ["Grace", "Hopper", "Compilers"],
    ]) people[first] = await directory.user(...host(first, last, department));
    const place = await portreeve.api("POST", "/visit-locations", {
        name: "Pier 7",
        time_zone: "Europe/Vienna",
        languages: ["en", "de", "fr", "es"],
        ask_purpose: true,
        fallback: { name: "Front desk", email: "desk@contoso.example" },
        ...settings,
    });
    const device = await portreeve.api("POST", `/visit-locations/${place.id}/devices`, { name: "Tablet" });
    const tablet = await world.person(options);
    await prepare(tablet.page);
    await tablet.page.goto(device.setup_url);
    await tablet.page.getByRole("heading", { level: 1, name: "Pier 7" }).waitFor();
    return { portreeve, directory, people, place, device, tablet };
}

const touch = (page, name) => page.getByRole("button", { name }).tap();

/** Signs somebody in at a tablet, by touch. */
async function come(page, { search, host: whom, name, company = "" }) {
    await touch(page, /^I am visiting/);
    await page.getByRole("searchbox").fill(search);
    await touch(page, whom);
    await page.getByLabel("Your name").fill(name);
    if (company) await page.getByLabel("Company").fill(company);
    await touch(page, "Sign in");
    await page.getByRole("heading", { level: 1, name: `Thank you, ${name}` }).waitFor();
}

story("a visitor signs in by touch, is given a badge with a picture, and leaves by name", async (world) => {
    const { portreeve, people, place, tablet } = await house(world, { photo_consent: "Your picture is on the badge, and is deleted after 90 days." });
    const { page } = tablet;
    assert.equal(new URL(page.url()).pathname, `/visit/${place.id}`, "the token stays in no address");
    await tablet.screen("reception");

    await touch(page, /^I am visiting/);
    const search = page.getByRole("searchbox", { name: "Name or department" });
    await search.fill("a");
    await search.fill("nun");
    await page.getByRole("button", { name: "Jürgen Núñez" }).waitFor();
    await search.fill("engines");
    await page.getByRole("button", { name: "Ada King" }).waitFor();
    assert.equal(await page.locator("#found button").count(), 2);
    await search.fill("nobody like this");
    await page.getByText("Nobody found").first().waitFor();
    await search.fill("ad");
    await page.getByRole("button", { name: "Adam Smith" }).waitFor();
    await tablet.screen("reception-search");
    await touch(page, /^Ada King/);

    await tablet.heading("And who are you?");
    await touch(page, "Sign in");
    await page.getByText("Please give your name.").waitFor();
    await page.getByLabel("Your name").fill("Mia Muster");
    await page.getByLabel("Company").fill("Fabrikam");
    await page.getByLabel("Purpose").fill("The new pier");
    await page.getByLabel("I agree to this picture").check();
    await touch(page, "Start the camera");
    await touch(page, "Take the picture");
    await page.getByRole("img", { name: "Your picture" }).waitFor();
    await tablet.screen("reception-about");
    await touch(page, "Sign in");
    await tablet.heading("Thank you, Mia Muster");
    const badge = page.getByRole("article", { name: "Badge" });
    await badge.getByText("Ada King").waitFor();
    await tablet.screen("reception-badge");
    await page.emulateMedia({ media: "print" });
    await page.screenshot({ path: `${screens}/reception-badge-print.png` });
    assert.ok(await badge.isVisible());
    assert.ok(!(await page.getByRole("button", { name: "Print" }).isVisible()));
    await page.emulateMedia({ media: "screen" });
    await touch(page, "Done");

    const [visit] = await portreeve.api("GET", "/visits");
    assert.deepEqual(
        [visit.state, visit.visitor_name, visit.company, visit.purpose, visit.has_photo, visit.visitor_host.id],
        ["here", "Mia Muster", "Fabrikam", "The new pier", true, people.Ada.id],
    );

    assert.ok(!(await page.content()).includes("Mia Muster"), "whoever comes next sees nothing of who was there");
    await touch(page, /^I am leaving/);
    await page.getByRole("textbox", { name: "Your name" }).fill("mia muster");
    await tablet.screen("reception-leave");
    await touch(page, "I am leaving");
    await tablet.heading("Goodbye, Mia Muster");
    await tablet.screen("reception-bye");
    const [gone] = await portreeve.api("GET", "/visits");
    assert.equal(gone.state, "gone");
});

story("a visitor signs in and out by keyboard alone", async (world) => {
    const { tablet } = await house(world, {}, {});
    const { page } = tablet;
    const focused = () => page.evaluate(() => document.activeElement.innerText || document.activeElement.id);
    /** Presses Tab until something is focused. */
    const to = async (pattern) => {
        for (let presses = 0; presses < 30; presses++) {
            if (pattern.test(await focused())) return;
            await page.keyboard.press("Tab");
        }
        assert.fail(`the keyboard does not reach ${pattern}`);
    };
    assert.equal(await focused(), "Welcome to Pier 7", "the focus is on what is new");
    await to(/^I am visiting/);
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "q", "typing searches at once");
    await page.keyboard.type("king");
    await page.getByRole("button", { name: "Ada King" }).waitFor();
    assert.equal(await page.locator("#said").innerText(), "People found: 1");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    assert.equal(await focused(), "q");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "name");
    await page.keyboard.press("Enter");
    await page.getByText("Please give your name.").waitFor();
    await page.keyboard.type("Kai Tastatur");
    await page.keyboard.press("Enter");
    await tablet.heading("Thank you, Kai Tastatur");
    await to(/^Done/);
    await page.keyboard.press("Enter");
    await to(/^I am leaving/);
    await page.keyboard.press("Enter");
    await page.keyboard.type("Kai");
    await page.keyboard.press("Enter");
    await page.getByText("Which one is you?").first().waitFor();
    assert.match(await focused(), /^Kai Tastatur/, "a part of a name signs nobody out before it was chosen");
    await page.keyboard.press("Enter");
    await tablet.heading("Goodbye, Kai Tastatur");
    tablet.excuse(/409/);
});

story("the reception speaks four languages and begins anew in the first", async (world) => {
    const { tablet } = await house(world, { languages: ["de", "en", "fr", "es"] }, { ...TABLET, locale: "es-ES" }, (page) => page.clock.install());
    const { page } = tablet;
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de", "not in that of the browser");
    for (const [language, code, welcome, come, question] of [
        ["Français", "fr", "Bienvenue : Pier 7", /^Je viens en visite/, "À qui rendez-vous visite ?"],
        ["Español", "es", "Bienvenido: Pier 7", /^Vengo de visita/, "¿A quién visita?"],
        ["English", "en", "Welcome to Pier 7", /^I am visiting/, "Whom are you visiting?"],
        ["Deutsch", "de", "Willkommen: Pier 7", /^Ich komme zu Besuch/, "Wen besuchen Sie?"],
    ]) {
        await touch(page, language);
        await tablet.heading(welcome);
        assert.equal(await page.evaluate(() => document.documentElement.lang), code);
        await page.screenshot({ path: `${screens}/reception-${code}.png` });
        await touch(page, come);
        await tablet.heading(question);
        await page.locator("button.back").tap();
    }
    // In the middle of something the language changes, and what was typed stays.
    await touch(page, /^Ich komme/);
    await page.getByRole("searchbox").fill("ada king");
    await touch(page, /^Ada King/);
    await page.getByLabel("Ihr Name").fill("Mia Muster");
    await touch(page, "English");
    assert.equal(await page.getByLabel("Your name").inputValue(), "Mia Muster");
    await touch(page, "Sign in");
    await tablet.heading("Thank you, Mia Muster");
    // Nobody touches it any more: it asks, and begins anew.
    await page.clock.fastForward(91_000);
    await page.getByRole("dialog", { name: "Are you still there?" }).waitFor();
    await page.getByRole("button", { name: "I am still here" }).tap();
    await page.clock.fastForward(60_000);
    await tablet.heading("Thank you, Mia Muster");
    await page.clock.fastForward(35_000);
    await page.getByRole("dialog", { name: "Are you still there?" }).waitFor();
    await page.clock.fastForward(21_000);
    await tablet.heading("Willkommen: Pier 7");
    assert.ok(!(await page.content()).includes("Mia Muster"));
});

story("whoever waits sees that they are fetched, and what becomes of whom they visit", async (world) => {
    const mailbox = await world.mailbox();
    const { portreeve, directory, people, tablet } = await house(world, {}, TABLET, () => {}, mailbox.words);
    const { page } = tablet;
    await come(page, { search: "grace", host: /^Grace Hopper/, name: "Mia Muster", company: "Fabrikam" });
    await page.getByText("We have told Grace Hopper. Please take a seat.").waitFor();
    await touch(page, "Done");

    const mail = await mailbox.next();
    assert.match(mail, /^To: grace\.hopper@contoso\.example$/m);
    assert.match(mail, /^Subject: Mia Muster.*Fabrikam/m);
    const grace = await world.person({ viewport: { width: 390, height: 844 } });
    await grace.page.goto(mail.match(/http:\S+\/visit\/answer\/[\w-]+/)[0]);
    await grace.heading("Mia Muster is here for you");
    await grace.screen("reception-answer");
    await grace.page.getByRole("button", { name: "I am on my way" }).click();
    await grace.page.getByText("The reception shows: I am on my way").waitFor();
    await grace.screen("reception-answered", "light", "320");
    await page.getByText("Mia Muster: Grace Hopper is on the way.").waitFor();
    await tablet.screen("reception-on-the-way");

    await directory.replace(people.Grace.id, "active", "False");
    await page.getByText("Mia Muster: Grace Hopper cannot be reached any more. Please speak to: Front desk.").waitFor();
    await tablet.screen("reception-attention");
    await touch(page, /^I am visiting/);
    await page.getByRole("searchbox").fill("grace");
    await page.getByText("Nobody found").first().waitFor();
    assert.match(await mailbox.next(), /^To: desk@contoso\.example$/m);
    const [visit] = await portreeve.api("GET", "/visits?state=here");
    assert.equal(visit.answer.what, "on_my_way");
});

story("two visitors of one name are told apart, and a phone signs out by the badge", async (world) => {
    const { tablet } = await house(world);
    const { page } = tablet;
    await come(page, { search: "ada king", host: /^Ada King/, name: "Mia Muster", company: "Fabrikam" });
    await touch(page, "Done");
    await touch(page, /^I am visiting/);
    await touch(page, "I do not know whom");
    await page.getByText("You are visiting Front desk").waitFor();
    await page.getByLabel("Your name").fill("Mia Muster");
    await page.getByLabel("Company").fill("Tailspin");
    const signedIn = page.waitForResponse((answer) => answer.url().endsWith("/visits") && answer.status() === 201);
    await touch(page, "Sign in");
    const { badge } = await (await signedIn).json();
    await tablet.heading("Thank you, Mia Muster");
    await touch(page, "Done");
    await touch(page, /^I am leaving/);
    await page.getByRole("textbox", { name: "Your name" }).fill("Mia Muster");
    await touch(page, "I am leaving");
    await page.getByRole("button", { name: /Tailspin/ }).waitFor();
    await tablet.screen("reception-which");
    await touch(page, /Fabrikam/);
    await tablet.heading("Goodbye, Mia Muster");
    await touch(page, "Done");

    const phone = await world.person({ viewport: { width: 390, height: 844 } });
    const link = new URL(`/visit/out/${badge.code}`, page.url());
    assert.ok(badge.qr.startsWith("<svg"));
    await phone.page.goto(link.href);
    await phone.heading("Leaving Pier 7?");
    await phone.screen("reception-phone", "light", "320");
    await phone.page.getByRole("button", { name: "Sign out" }).click();
    await phone.heading("You are signed out of Pier 7");
    await phone.screen("reception-phone-out", "light");
    await touch(page, "Roll call");
    await page.getByText("0 visitors are in the house").waitFor();
    tablet.excuse(/409/);
});

/** What browsers on tablets have, and not the one that tests run in: it sees the code that is laid before it. */
function detector() {
    globalThis.BarcodeDetector = class {
        async detect() {
            return globalThis.before ? [{ rawValue: globalThis.before }] : [];
        }
    };
}

story("a badge is read by the camera of the tablet, or by a scanner that types", async (world) => {
    const { tablet } = await house(world, {}, TABLET, (page) => page.addInitScript(detector));
    const { page } = tablet;
    const link = async (name) => {
        const signedIn = page.waitForResponse((answer) => answer.url().endsWith("/visits") && answer.status() === 201);
        await come(page, { search: "ada king", host: /^Ada King/, name });
        const { badge } = await (await signedIn).json();
        await touch(page, "Done");
        return new URL(`/visit/out/${badge.code}`, page.url()).href;
    };
    const badges = [await link("Mia Muster"), await link("Kai Tastatur")];
    await touch(page, /^I am leaving/);
    await touch(page, "Scan the badge with the camera");
    await page.getByLabel("What the camera sees").waitFor();
    await page.evaluate((seen) => { globalThis.before = seen; }, badges[0]);
    await tablet.heading("Goodbye, Mia Muster");
    await touch(page, "Done");
    await tablet.heading("Welcome to Pier 7");
    await page.keyboard.type(badges[1]);
    await page.keyboard.press("Enter");
    await tablet.heading("Goodbye, Kai Tastatur");
    await touch(page, "Done");
    await touch(page, /^I am leaving/);
    await page.keyboard.type(`${badges[1].slice(0, -4)}AAAA`);
    await page.keyboard.press("Enter");
    await page.getByText("This is no badge of somebody who is signed in.").waitFor();
    tablet.excuse(/404/);
});

story("the roll call is there without the server, with the time of its copy", async (world) => {
    const { tablet } = await house(world);
    const { page } = tablet;
    await come(page, { search: "ada king", host: /^Ada King/, name: "Mia Muster", company: "Fabrikam" });
    await touch(page, "Done");
    await come(page, { search: "adam", host: /^Adam Smith/, name: "Kai Tastatur" });
    await touch(page, "Done");
    await touch(page, "Roll call");
    await page.getByText("2 visitors are in the house").waitFor();
    const since = await page.locator("tbody td:nth-child(4)").first().innerText();
    await tablet.screen("reception-roll-call");
    await touch(page, "Back");

    tablet.excuse(/ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to fetch/);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.evaluate(async () => {
        while (!(await caches.match(location.pathname))) await new Promise((again) => setTimeout(again, 50));
    });
    await tablet.context.setOffline(true);
    await page.reload();
    await tablet.heading("That did not work");
    await touch(page, "Roll call");
    await page.getByText("There is no connection. This is the copy of").waitFor();
    await page.getByRole("row", { name: /Mia Muster.*Fabrikam.*Ada King/ }).waitFor();
    await page.getByRole("row", { name: /Kai Tastatur.*Adam Smith/ }).waitFor();
    assert.equal(await page.locator("tbody td:nth-child(4)").first().innerText(), since, "by the clock of the location");
    await tablet.screen("reception-offline", "light");
    await page.emulateMedia({ media: "print" });
    assert.ok(await page.getByRole("row", { name: /Mia Muster/ }).isVisible());
    await page.screenshot({ path: `${screens}/reception-roll-call-print.png` });
    await page.emulateMedia({ media: "screen" });
    await tablet.context.setOffline(false);
    await touch(page, "Ask again");
    await page.getByText("As it is now").waitFor();
});

story("a tablet that is sent away forgets who was there and can be set up anew", async (world) => {
    const { portreeve, place, device, tablet } = await house(world);
    const { page } = tablet;
    await come(page, { search: "ada king", host: /^Ada King/, name: "Mia Muster" });
    await touch(page, "Done");
    await page.waitForFunction(() => Object.keys(localStorage).length === 1);
    await portreeve.api("DELETE", `/visit-locations/${place.id}/devices/${device.id}`);
    await tablet.heading("Set this device up");
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    assert.ok(!(await page.content()).includes("Mia Muster"));
    await tablet.screen("reception-setup");
    tablet.excuse(/401/);
    const other = await portreeve.api("POST", `/visit-locations/${place.id}/devices`, { name: "Another" });
    await page.getByLabel("Token of the device").fill(device.token);
    await touch(page, "Set up");
    await page.getByText("was revoked").first().waitFor();
    await page.getByLabel("Token of the device").fill(other.token);
    await touch(page, "Set up");
    await tablet.heading("Welcome to Pier 7");
});

story("scripts in names are text on the tablet, on the badge and on the roll call", async (world) => {
    const { directory, tablet } = await house(world);
    const script = `<img src=x onerror="document.title='gotcha'">`;
    await directory.user(...Object.values(host("Eve", script, script)).map((it, at) => (at === 0 ? "eve@contoso.example" : { ...it, emails: [{ type: "work", value: "eve@contoso.example" }] })));
    const { page } = tablet;
    await come(page, { search: "eve", host: /^Eve/, name: script, company: script });
    assert.ok((await page.getByRole("article", { name: "Badge" }).innerText()).includes(script));
    await touch(page, "Done");
    await touch(page, "Roll call");
    await page.getByText("1 visitor is in the house").waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    assert.ok(!(await page.title()).includes("gotcha"));
});
