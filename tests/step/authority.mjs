// The certificate authority as a program without `step` reaches it.

import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { request } from "node:https";

export class Authority {
    /** Where it is. */
    url;
    /** Of its root. */
    fingerprint;
    /** Its root (PEM). */
    root;

    /** Finds one as a client does that was given its address and the fingerprint of its root. */
    static async at({ url, fingerprint }) {
        const authority = new Authority();
        Object.assign(authority, { url, fingerprint });
        const { ca } = await authority.ask("GET", `/root/${fingerprint}`, undefined, { rejectUnauthorized: false });
        const found = createHash("sha256").update(new X509Certificate(ca).raw).digest("hex");
        if (found !== fingerprint) throw new Error(`the root has the fingerprint ${found}`);
        authority.root = ca;
        return authority;
    }

    /** The JSON of an answer. */
    async ask(method, path, body, options = { ca: this.root }) {
        const headers = { "Content-Type": "application/json" };
        const asked = request(new URL(path, this.url), { method, headers, agent: false, ...options });
        asked.end(body && JSON.stringify(body));
        const [answer] = await once(asked, "response");
        const text = Buffer.concat(await answer.toArray()).toString();
        if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
        return JSON.parse(text);
    }
}

/** A provisioner whose key is here. */
export class Signer {
    /** The public key, to be declared. */
    key;
    #name;
    #private;

    constructor(name) {
        const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        this.#name = name;
        this.#private = createPrivateKey(privateKey.export({ format: "pem", type: "pkcs8" }));
        this.key = { ...publicKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "ES256" };
    }

    /** A certificate, as a line of a file, for a public key in the same form. */
    async certificate(authority, line, options) {
        const [type, publicKey] = line.split(" ");
        const ott = this.#token(authority, options);
        const { crt } = await authority.ask("POST", "/ssh/sign", { publicKey, ott, validAfter: "", validBefore: "" });
        return `${type}-cert-v01@openssh.com ${crt}\n`;
    }

    #token(authority, options) {
        const now = Math.floor(Date.now() / 1000);
        const claims = {
            iss: this.#name,
            aud: `${authority.url}/1.0/ssh/sign`,
            sub: options.keyID,
            jti: randomUUID(),
            iat: now,
            nbf: now,
            exp: now + 300,
            step: { ssh: options },
        };
        const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const text = `${encode({ alg: "ES256", typ: "JWT", kid: this.key.kid })}.${encode(claims)}`;
        const signature = sign("sha256", Buffer.from(text), { key: this.#private, dsaEncoding: "ieee-p1363" });
        return `${text}.${signature.toString("base64url")}`;
    }
}
