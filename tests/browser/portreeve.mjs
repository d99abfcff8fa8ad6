// A running `portreeve serve` on a data folder and a port of its own, and its command line.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { freePort } from "./ports.mjs";

const PATIENCE = 30_000;
const program = process.env.STORIES_PROGRAM ?? "target/debug/portreeve";

export class Portreeve {
    /** Where people find it. A name and not a number, because passkeys belong to names. */
    url;
    #folder;
    #process;
    #ended;

    /**
     * Starts one, and waits until it says that it is ready. What it logs goes to the file `log`.
     * @param words more words for its command line
     * @param variables more variables for its environment
     */
    static async start(log, words = [], variables = {}) {
        const server = new Portreeve();
        const port = await freePort();
        server.url = `http://localhost:${port}`;
        // A short path, because that of a Unix socket must be.
        server.#folder = await mkdtemp(join(tmpdir(), "portreeve-"));
        const options = ["--data", server.#folder, "--listen", `127.0.0.1:${port}`, "--public-url", server.url];
        const env = { ...process.env, ...variables };
        server.#process = spawn(program, ["serve", ...options, ...words], { env, stdio: ["ignore", "ignore", "pipe"] });
        server.#ended = once(server.#process, "exit");
        const file = createWriteStream(log, { flags: "a" });
        const { promise: ready, resolve, reject } = Promise.withResolvers();
        createInterface({ input: server.#process.stderr })
            .on("line", (line) => {
                file.write(`${line}\n`);
                if (line.includes("http://")) resolve();
            })
            .on("close", () => {
                file.end();
                reject(new Error(`${program} did not start; see ${log}`));
            });
        await ready;
        return server;
    }

    /** Runs a command on it, and gives the JSON it prints. */
    async cli(...words) {
        return JSON.parse(await this.#run([...words, "-o", "json"]));
    }

    /** Asks its API as the admin of the machine, and gives the JSON of the answer. */
    async api(method, path, body) {
        const asked = request({
            socketPath: join(this.#folder, "portreeve.sock"),
            method,
            path: `/api/v1${path}`,
            headers: { "Content-Type": "application/json" },
        });
        asked.end(body && JSON.stringify(body));
        const [answer] = await once(asked, "response");
        const text = Buffer.concat(await answer.toArray()).toString();
        if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
        return text ? JSON.parse(text) : undefined;
    }

    /** Connects a directory to an OpenID provider. */
    connect(directory, provider, settings = {}) {
        return this.api("PUT", `/directories/${directory.id}/connection`, {
            metadata_url: provider.metadata,
            client_id: provider.client.id,
            client_secret: provider.client.secret,
            ...settings,
        });
    }

    /** The redirect URI that a provider has to know. */
    get redirect() {
        return `${this.url}/auth/openid/callback`;
    }

    /** A way in for the break-glass owner, which works once. */
    async ownerLink() {
        return (await this.cli("owner", "link")).url;
    }

    /**
     * Signs a command line in that knows the server by its address only.
     * @param words more words for `portreeve login`
     * @returns what it prints, line by line, and a promise of what it is signed in as
     */
    login(...words) {
        const home = join(this.#folder, "home");
        const env = { ...process.env, XDG_CONFIG_HOME: home, BROWSER: "true" };
        const login = spawn(program, ["login", this.url, "-o", "json", ...words], { env });
        const signedIn = login.stdout.toArray().then((chunks) => JSON.parse(Buffer.concat(chunks).toString()));
        return { lines: createInterface({ input: login.stderr }), signedIn };
    }

    /** A new directory, as a provider is given it: its id, tenant URL and secret token. */
    async directory(name, ...options) {
        const made = await this.cli("directory", "create", name, ...options);
        return new Directory(made);
    }

    async #run(words) {
        const options = { timeout: PATIENCE, maxBuffer: 64 << 20 };
        const { stdout } = await promisify(execFile)(program, [...words, "--data", this.#folder], options);
        return stdout;
    }

    async [Symbol.asyncDispose]() {
        this.#process.kill();
        await this.#ended;
        await rm(this.#folder, { recursive: true, force: true });
    }
}

/** What an identity provider does over SCIM. */
export class Directory {
    constructor({ id, name, tenant_url: url, secret_token: token }) {
        Object.assign(this, { id, name, url, token });
    }

    /** Creates a person, and gives the resource. */
    user(userName, attributes = {}) {
        const schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
        return this.send("POST", "/Users", { schemas, userName, active: true, ...attributes });
    }

    /** Creates a group, and gives the resource. */
    group(displayName, ...members) {
        const schemas = ["urn:ietf:params:scim:schemas:core:2.0:Group"];
        return this.send("POST", "/Groups", { schemas, displayName, members: members.map((value) => ({ value })) });
    }

    /** Replaces one attribute of a user, as Entra does. */
    replace(id, path, value) {
        const Operations = [{ op: "Replace", path, value }];
        return this.patch(`/Users/${id}`, Operations);
    }

    patch(path, Operations) {
        return this.send("PATCH", path, { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations });
    }

    async send(method, path, body) {
        const answer = await fetch(`${this.url}${path}`, {
            method,
            headers: { "Authorization": `Bearer ${this.token}`, "Content-Type": "application/scim+json" },
            body: body && JSON.stringify(body),
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
        return text ? JSON.parse(text) : undefined;
    }
}
