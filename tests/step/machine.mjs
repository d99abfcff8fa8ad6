// Somebody's machine: a home folder, an agent, and the programs of OpenSSH and Smallstep.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";

const PATIENCE = 60_000;

/** Smallstep's program; undefined where it is not. */
export const step = process.env.STORIES_STEP || undefined;

/** Whom the tests run as: the only account that a server of theirs can let somebody in to. */
export const me = userInfo().username;

export class Machine {
    home;
    #env;
    #agent;

    /** @param env more variables for what runs there */
    static async start(env = {}) {
        const machine = new Machine();
        // A short path, because that of a Unix socket must be.
        machine.home = await mkdtemp(join(tmpdir(), "step-"));
        const socket = machine.path("agent");
        machine.#agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] });
        await once(machine.#agent.stdout, "data");
        machine.#env = {
            HOME: machine.home,
            STEPPATH: machine.path(".step"),
            STEP_OPEN_BROWSER: "0",
            PATH: step ? `${dirname(step)}${delimiter}${process.env.PATH}` : process.env.PATH,
            SHELL: "/bin/sh",
            LC_ALL: "C",
            TZ: "UTC",
            SSH_AUTH_SOCK: socket,
            NO_PROXY: "127.0.0.1,localhost",
            ...env,
        };
        return machine;
    }

    /** A file in the home folder. */
    path(...names) {
        return join(this.home, ...names);
    }

    /** The name of a new file with that text. */
    async file(name, text, mode = 0o600) {
        await writeFile(this.path(name), text, { mode });
        return this.path(name);
    }

    read(...names) {
        return readFile(this.path(...names), "utf8");
    }

    has(...names) {
        return existsSync(this.path(...names));
    }

    /** Starts a program. It has no terminal that it could ask somebody at. */
    start(program, words, env = {}) {
        return spawn(program, words, {
            cwd: this.home,
            env: { ...this.#env, ...env },
            stdio: ["pipe", "pipe", "pipe"],
            detached: true,
        });
    }

    /** Runs a program to its end. `input` is what it reads, `seen` is told each line of its stderr, and gets the process. */
    async run(program, words, { input = "", env = {}, seen = () => {} } = {}) {
        const started = this.start(program, words, env);
        const timer = setTimeout(() => started.kill("SIGKILL"), PATIENCE);
        const lines = [];
        createInterface({ input: started.stderr }).on("line", (line) => {
            lines.push(stripVTControlCharacters(line));
            seen(stripVTControlCharacters(line), started);
        });
        // A program that reads nothing may be gone before all is written.
        started.stdin.on("error", () => {}).end(input);
        const out = started.stdout.toArray();
        const [code, signal] = await once(started, "close");
        clearTimeout(timer);
        const text = stripVTControlCharacters(Buffer.concat(await out).toString());
        return new Done([program, ...words], code ?? signal, text, lines.join("\n"));
    }

    /** Runs it, and demands that it succeeds. */
    async good(program, words, options) {
        const done = await this.run(program, words, options);
        assert.equal(done.code, 0, `${done}`);
        return done;
    }

    /** `step`, which is to succeed. */
    step(...words) {
        return this.good("step", words);
    }

    /** `step`, which is to fail with a message such as this. */
    async refused(message, ...words) {
        const done = await this.run("step", words);
        assert.equal(done.code, 1, `${done}`);
        assert.match(done.err, message, `${done}`);
        return done;
    }

    /** What OpenSSH reads in a certificate. */
    async certificate(file) {
        return readCertificate((await this.good("ssh-keygen", ["-L", "-f", this.path(file)])).out);
    }

    /** A new pair of keys. */
    async key(name, ...words) {
        await this.good("ssh-keygen", ["-q", "-N", "", "-C", name, "-f", this.path(name), ...words]);
        return (await this.read(`${name}.pub`)).trim();
    }

    /** What the agent holds. */
    async keys() {
        return (await this.run("ssh-add", ["-l"])).out;
    }

    async [Symbol.asyncDispose]() {
        this.#agent.kill();
        await rm(this.home, { recursive: true, force: true });
    }
}

/** How a program ended. */
class Done {
    constructor(words, code, out, err) {
        Object.assign(this, { words, code, out, err });
    }

    toString() {
        return `${this.words.join(" ")} ended with ${this.code}\n${this.out}${this.err}`;
    }
}

/** Takes apart what `ssh-keygen -L` prints. */
function readCertificate(text) {
    const value = (name) => text.match(new RegExp(`^\\s+${name}: (.*)$`, "m"))?.[1];
    const list = (name) => {
        const [, items] = text.match(new RegExp(`^ {8}${name}:[^\\n]*\\n((?: {16}.*\\n)*)`, "m"));
        return items.split("\n").map((item) => item.trim()).filter(Boolean);
    };
    const [, from, to] = value("Valid").match(/^from (\S+) to (\S+)$/);
    const [after, before] = [Date.parse(`${from}Z`), Date.parse(`${to}Z`)];
    return {
        kind: value("Type").match(/ (user|host) certificate$/)[1],
        keyId: JSON.parse(value("Key ID")),
        key: value("Public key").split(" ")[1],
        signer: value("Signing CA").split(" ")[1],
        serial: value("Serial"),
        before,
        seconds: (before - after) / 1000,
        principals: list("Principals"),
        options: list("Critical Options"),
        extensions: list("Extensions"),
    };
}
