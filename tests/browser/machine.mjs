// A machine that becomes a host: what its agent says to the server, without an agent.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ENROL = /^portreeve-host enroll --token pe_(\S+)$/;

export class Machine {
    #url;
    #agent;

    /**
     * Enrols under a name, with the command that the console shows.
     * @param command as it is copied there
     */
    static async enrol(name, command) {
        const { url, secret } = JSON.parse(Buffer.from(ENROL.exec(command)[1], "base64url").toString());
        const machine = new Machine();
        machine.#url = url;
        const folder = await mkdtemp(join(tmpdir(), "machine-"));
        try {
            const [key, csr, ssh] = ["tls.key", "tls.csr", "ssh"].map((file) => join(folder, file));
            const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/"];
            execFileSync("openssl", ["req", "-new", ...curve, "-keyout", key, "-out", csr], { stdio: "ignore" });
            execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", ssh]);
            // Who the server is, the agent proves by the token; here it is this machine.
            machine.#agent = new Agent({ rejectUnauthorized: false });
            const enrolled = await machine.#post("/enroll", {
                name,
                token: secret,
                csr: await readFile(csr, "utf8"),
                host_key: await readFile(`${ssh}.pub`, "utf8"),
                agent_version: "0.1.0",
                os: "Debian GNU/Linux 12 (bookworm)",
                hostnames: [],
            });
            machine.id = enrolled.host.id;
            const identity = { cert: enrolled.identity.join(""), key: await readFile(key, "utf8") };
            machine.#agent = new Agent({ rejectUnauthorized: false, ...identity });
        } finally {
            await rm(folder, { recursive: true });
        }
        return machine;
    }

    /** The newest policy that is another than the one of that version; what it says. */
    async policy(version) {
        const headers = { "Prefer": "wait=20", ...(version && { "If-None-Match": `"${version}"` }) };
        for (;;) {
            const text = await this.#ask("GET", "/policy", headers);
            if (text) return JSON.parse(JSON.parse(text).document);
        }
    }

    /** The first policy that has people in it: the very first of a new host may be from before it was worked out who they are. */
    async peopled() {
        let policy = await this.policy();
        while (policy.accounts.length === 0) policy = await this.policy(policy.version);
        return policy;
    }

    /** Reports that a policy is in force, and more; what is to be removed. */
    async report(policy, more = {}) {
        const now = new Date().toISOString();
        const report = {
            agent_version: "0.1.0",
            os: "Debian GNU/Linux 12 (bookworm)",
            now,
            applied: { version: policy.version, at: now },
            lease_until: policy.lease_until,
            ...more,
        };
        const { removals } = await this.#post("/report", report);
        return removals;
    }

    async #post(path, body) {
        return JSON.parse(await this.#ask("POST", path, { "Content-Type": "application/json" }, JSON.stringify(body)));
    }

    async #ask(method, path, headers, body) {
        const asked = request(`${this.#url}/host/v1${path}`, { method, headers, agent: this.#agent });
        asked.end(body);
        const [answer] = await once(asked, "response");
        const text = Buffer.concat(await answer.toArray()).toString();
        if (answer.statusCode >= 400) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
        return text;
    }
}
