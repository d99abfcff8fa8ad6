// OpenSSH judges certificates and lists of what is revoked.

import assert from "node:assert/strict";

import { plain } from "../case.mjs";
import { me } from "../machine.mjs";
import { COMMON, Sshd } from "../sshd.mjs";

const HOUR = 3600;
const KEYS = { ed25519: ["-t", "ed25519"], ecdsa: ["-t", "ecdsa", "-b", "256"], rsa: ["-t", "rsa", "-b", "2048"] };

/** A machine with a key and the certificate for it, in the files `name` and `name-cert.pub`. */
async function certify(scene, machine, name, certType, words, principals) {
    const line = await machine.key(name, ...words);
    const { authority, signer } = scene.world;
    const text = await signer.certificate(authority, line, { certType, keyID: name, principals });
    await machine.file(`${name}-cert.pub`, text);
    return machine.certificate(`${name}-cert.pub`);
}

for (const [type, words] of Object.entries(KEYS)) {
    plain(`OpenSSH reads certificates for ${type} keys`, async (scene) => {
        const machine = await scene.bareMachine();
        for (const [kind, seconds, extensions] of [
            ["user", 16 * HOUR + 60, [
                "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc",
            ]],
            ["host", 30 * 24 * HOUR + 60, []],
        ]) {
            const read = await certify(scene, machine, `${kind}-${type}`, kind, words, ["one", "two"]);
            const { keyId, principals, options } = read;
            assert.deepEqual(
                { kind: read.kind, keyId, seconds: read.seconds, principals, options, extensions: read.extensions },
                { kind, keyId: `${kind}-${type}`, seconds, principals: ["one", "two"], options: [], extensions },
            );
            const { user_keys, host_keys } = await scene.world.portreeve.cli("ca", "status");
            const [signer] = kind === "user" ? user_keys : host_keys;
            const printed = await machine.good("ssh-keygen", ["-l", "-f", await machine.file("signer.pub", `${signer}\n`)]);
            assert.equal(read.signer, printed.out.split(" ")[1], kind);
        }
    });
}

plain("OpenSSH finds in the list what is revoked, and nothing else, and knows who has signed it", async (scene) => {
    const { portreeve } = scene.world;
    const machine = await scene.bareMachine();
    for (const name of ["first", "second"]) await certify(scene, machine, name, "user", KEYS.ed25519, ["joe"]);
    const { serial } = await machine.certificate("first-cert.pub");
    const asked = async (name) => {
        const { krl, signature } = await portreeve.api("GET", "/ca/krl");
        await machine.file("krl", Buffer.from(krl, "base64"));
        await machine.file("krl.sig", signature);
        return (await machine.run("ssh-keygen", ["-Q", "-f", "krl", `${name}-cert.pub`])).code;
    };
    assert.equal(await asked("first"), 0, "it is empty, and a list all the same");
    await portreeve.api("DELETE", `/certificates/${serial}`);
    assert.equal(await asked("first"), 1);
    assert.equal(await asked("second"), 0);

    const { user_keys } = await portreeve.cli("ca", "status");
    await machine.file("signers", `portreeve namespaces="krl@portreeve" ${user_keys[0]}\n`);
    const words = ["-Y", "verify", "-f", "signers", "-I", "portreeve", "-n", "krl@portreeve", "-s", "krl.sig"];
    await machine.good("ssh-keygen", words, { input: Buffer.from((await portreeve.api("GET", "/ca/krl")).krl, "base64") });
});

plain("a server of OpenSSH lets in whom a certificate names, until it is revoked", async (scene) => {
    const { portreeve } = scene.world;
    const machine = await scene.bareMachine();
    const { user_keys, host_keys } = await portreeve.cli("ca", "status");
    await certify(scene, machine, "host", "host", KEYS.ed25519, ["localhost"]);
    const mine = await certify(scene, machine, "mine", "user", KEYS.ed25519, [me]);
    await certify(scene, machine, "other", "user", KEYS.ed25519, ["somebody-else"]);
    await machine.file("ca.pub", user_keys.map((key) => `${key}\n`).join(""));
    await machine.file("known", host_keys.map((key) => `@cert-authority * ${key}\n`).join(""));
    const fetchRevoked = async () => {
        const answer = await fetch((await portreeve.api("GET", "/ca")).krl_url);
        await machine.file("krl", Buffer.from(await answer.arrayBuffer()));
        return answer.headers.get("etag");
    };
    const before = await fetchRevoked();
    const config = await machine.file("sshd_config", [
        COMMON,
        `HostKey ${machine.path("host")}`,
        `HostCertificate ${machine.path("host-cert.pub")}`,
        `TrustedUserCAKeys ${machine.path("ca.pub")}`,
        `RevokedKeys ${machine.path("krl")}`,
    ].join("\n") + "\n");
    const sshd = scene.use(await Sshd.start(config));
    const ssh = (name) => machine.run("ssh", [
        "-F", "none", "-o", "BatchMode=yes", "-o", `UserKnownHostsFile=${machine.path("known")}`, "-o", "IdentitiesOnly=yes",
        "-o", "GlobalKnownHostsFile=none", "-i", machine.path(name), "-p", String(sshd.port), "-l", me, "localhost", "echo in",
    ]);
    const done = await ssh("mine");
    assert.deepEqual([done.code, done.out], [0, "in\n"], `${done}\n${sshd.said}`);
    assert.equal((await ssh("other")).code, 255, "it names somebody else");
    await portreeve.api("DELETE", `/certificates/${mine.serial}`);
    assert.notEqual(await fetchRevoked(), before);
    assert.equal((await ssh("mine")).code, 255);
    assert.match(sshd.said, /revoked/);
});
