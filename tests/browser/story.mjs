// A story: what a person does, from an empty server to what they wanted.

import { join } from "node:path";

import { Browser } from "./browser.mjs";
import { Mailbox } from "./mailbox.mjs";
import { Portreeve } from "./portreeve.mjs";
import { Provider } from "./provider.mjs";

/** All that were told, in their order. */
export const stories = [];

/** Tells one. `act` gets a {@link World}. */
export function story(name, act) {
    stories.push({ name, act });
}

/** What a story has: whatever it starts ends with it. */
export class World {
    people = [];
    #browser;
    #log;
    #ending = new AsyncDisposableStack();

    constructor(browser, log) {
        this.#browser = browser;
        this.#log = log;
    }

    async portreeve(...words) {
        return this.#ending.use(await Portreeve.start(this.#log, words));
    }

    async mailbox() {
        return this.#ending.use(await Mailbox.start());
    }

    async provider(options) {
        return this.#ending.use(await Provider.start(options));
    }

    /** Somebody with a browser. */
    async person(options) {
        const person = this.#ending.use(await this.#browser.person(options));
        this.people.push(person);
        return person;
    }

    /** The owner, signed in by a link, on the console. */
    async owner(portreeve) {
        const owner = await this.person();
        await owner.page.goto(await portreeve.ownerLink());
        return owner;
    }

    /** A picture of what everybody saw last, for whoever looks for the cause of a failure. */
    async picture(folder, name) {
        for (const [number, { page }] of this.people.entries()) {
            await page.screenshot({ path: join(folder, `${name}-${number}.png`), fullPage: true }).catch(() => {});
        }
    }

    [Symbol.asyncDispose]() {
        return this.#ending.disposeAsync();
    }
}

/** The browser that all stories share. */
export const openBrowser = () => Browser.start();
