// The packages of package-lock.json, from where scripts/peers has installed them (STORIES_PEERS names the folder).

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const installed = createRequire(resolve(process.env.STORIES_PEERS ?? "target/peers", "browser", "package.json"));
const load = (name) => import(pathToFileURL(installed.resolve(name)));

export const { chromium } = (await load("playwright-core")).default;
export const OpenIdProvider = (await load("oidc-provider")).default;
/** The text of axe-core, to be run in a page. */
export const axe = readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");
