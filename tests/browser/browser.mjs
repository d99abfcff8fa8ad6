// Chromium, and what must hold of every page that is opened in it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { axe, chromium } from "./packages.mjs";

const PATIENCE = 15_000;
const WIDE = { width: 1280, height: 860 };
/** How a screen is looked at. 320 pixels is what WCAG's criterion 1.4.10 asks for. */
const LOOKS = [
    { name: "light", size: WIDE, colours: "light" },
    { name: "dark", size: WIDE, colours: "dark" },
    { name: "320", size: { width: 320, height: 720 }, colours: "light" },
];
const screens = process.env.STORIES_SCREENS ?? "target/screens";

export class Browser {
    #chromium;

    static async start() {
        mkdirSync(screens, { recursive: true });
        const browser = new Browser();
        browser.#chromium = await chromium.launch({
            executablePath: execFileSync("scripts/chromium", { encoding: "utf8" }).trim(),
            // Its own sandbox needs rights that a container does not give; it only sees our own pages.
            chromiumSandbox: false,
            // A camera for whoever may use one.
            args: ["--use-fake-device-for-media-stream"],
        });
        return browser;
    }

    /** Somebody's browser: cookies and storage of its own, and one page open. */
    async person(options = {}) {
        const context = await this.#chromium.newContext({ viewport: WIDE, reducedMotion: "reduce", ...options });
        context.setDefaultTimeout(PATIENCE);
        return new Person(context, await context.newPage());
    }

    async [Symbol.asyncDispose]() {
        await this.#chromium.close();
    }
}

/** A person at a browser. */
export class Person {
    /** What went wrong in any page: errors on the console (violations of the policy are among them), dialogs. */
    #troubles = [];
    #excused = [];

    constructor(context, page) {
        Object.assign(this, { context, page });
        context.on("console", (message) => {
            if (message.type() === "error") this.#trouble(`${message.text()} (${message.location().url})`);
        });
        context.on("weberror", (error) => this.#trouble(`uncaught: ${error.error().stack}`));
        context.on("dialog", (dialog) => {
            this.#trouble(`a dialog: ${dialog.message()}`);
            dialog.dismiss();
        });
    }

    #trouble(text) {
        this.#troubles.push(text);
    }

    /** Errors on the console that a story provokes. */
    excuse(pattern) {
        this.#excused.push(pattern);
    }

    /** Fails when a page complained. */
    checkTroubles() {
        const troubles = this.#troubles.filter((text) => !this.#excused.some((pattern) => pattern.test(text)));
        assert.deepEqual(troubles, [], "the browser complains");
    }

    /** Gives the person's device what makes passkeys: it is there, it is touched, and it knows the person. */
    async passkeys() {
        const device = await this.context.newCDPSession(this.page);
        await device.send("WebAuthn.enable");
        const options = {
            protocol: "ctap2",
            transport: "internal",
            hasResidentKey: true,
            hasUserVerification: true,
            isUserVerified: true,
            automaticPresenceSimulation: true,
        };
        await device.send("WebAuthn.addVirtualAuthenticator", { options });
    }

    /** What the page says in its main part, or in all of it. */
    async text() {
        const main = this.page.getByRole("main");
        return (await main.count()) === 1 ? main.innerText() : this.page.locator("body").innerText();
    }

    /** Waits until the page has this heading of the first level. */
    async heading(text) {
        await this.page.getByRole("heading", { level: 1, name: text }).waitFor();
    }

    /**
     * Writes pictures of what is open, in light, in dark and 320 pixels wide, and checks what must hold of any screen.
     * @param name of the pictures' files
     * @param looks the names of the looks, if not all of them
     */
    async screen(name, ...looks) {
        const problems = [];
        for (const look of LOOKS.filter((look) => looks.length === 0 || looks.includes(look.name))) {
            await this.page.emulateMedia({ colorScheme: look.colours });
            await this.page.setViewportSize(look.size);
            await this.#photograph(join(screens, `${name}-${look.name}.png`), look.size);
            for (const problem of await this.#problems()) problems.push(`${name}, ${look.name}: ${problem}`);
        }
        await this.page.emulateMedia({ colorScheme: null });
        await this.page.setViewportSize(WIDE);
        assert.ok(problems.length === 0, problems.join("\n"));
    }

    /** In a window as high as the page, in which what sticks to the window's edges is where a person sees it. */
    async #photograph(path, { width, height }) {
        const whole = await this.page.evaluate(() => document.documentElement.scrollHeight);
        await this.page.setViewportSize({ width, height: Math.min(Math.max(whole, height), 4000) });
        await this.page.screenshot({ path });
        await this.page.setViewportSize({ width, height });
    }

    /** What is wrong with what is open, as sentences. */
    async #problems() {
        const problems = await this.page.evaluate(() => {
            const page = document.documentElement;
            const headings = [...document.querySelectorAll("h1")].filter((it) => it.checkVisibility()).length;
            const overflow = page.scrollWidth - page.clientWidth;
            return [
                headings !== 1 && `there are ${headings} headings of the first level`,
                document.title === "" && "it has no title",
                page.lang !== "en" && `its language is ${page.lang}`,
                overflow > 0 && `it scrolls sideways by ${overflow} pixels`,
            ].filter(Boolean);
        });
        return [...problems, ...await this.#barriers()];
    }

    /** What axe-core calls serious or critical. */
    async #barriers() {
        await this.page.evaluate(axe);
        return this.page.evaluate(async () => {
            const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
            return violations
                .filter(({ impact }) => impact === "serious" || impact === "critical")
                .flatMap(({ id, nodes }) => nodes.slice(0, 5).map((node) => `${id}: ${node.target} ${node.failureSummary}`));
        });
    }

    async [Symbol.asyncDispose]() {
        await this.context.close();
    }
}
