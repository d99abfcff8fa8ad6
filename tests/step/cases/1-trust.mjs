// What everybody is told, and how a machine comes to trust the authority.

import assert from "node:assert/strict";

import { open } from "../case.mjs";
import { Signer } from "../authority.mjs";

open("a machine comes to trust the authority by the fingerprint of its root", async (scene) => {
    const { url, authority } = scene.world;
    const machine = await scene.machine();
    assert.equal(await machine.read(".step/certs/root_ca.crt"), authority.root);
    const defaults = JSON.parse(await machine.read(".step/config/defaults.json"));
    assert.equal(defaults["ca-url"], url);
    assert.equal(defaults.fingerprint, authority.fingerprint);
});

open("another fingerprint is not believed", async (scene) => {
    const machine = await scene.bareMachine();
    const wrong = scene.world.authority.fingerprint.replace(/./g, (digit) => (digit === "0" ? "1" : "0"));
    const words = ["ca", "bootstrap", "--ca-url", scene.world.url, "--fingerprint", wrong, "--force"];
    await machine.refused(/not found|could not be found|does not match/, ...words);
    assert.ok(!machine.has(".step/certs/root_ca.crt"));
});

open("the authority is well", async (scene) => {
    const machine = await scene.machine();
    assert.equal((await machine.step("ca", "health")).out.trim(), "ok");
});

open("roots are told by fingerprint and as a list", async (scene) => {
    const { authority } = scene.world;
    const machine = await scene.machine();
    await machine.step("ca", "roots", "roots.pem");
    assert.equal(await machine.read("roots.pem"), authority.root);
    await machine.step("ca", "federation", "federation.pem");
    assert.equal(await machine.read("federation.pem"), authority.root);
    await machine.step("ca", "root", "root.pem", "--ca-url", scene.world.url, "--fingerprint", authority.fingerprint);
    assert.equal(await machine.read("root.pem"), authority.root);
});

open("all provisioners are listed, however many there are", async (scene) => {
    const { portreeve } = scene.world;
    const machine = await scene.machine();
    const { key } = new Signer("robot");
    const more = Array.from({ length: 101 }, (_, number) => `robot-${number}`);
    const listed = async () => JSON.parse((await machine.step("ca", "provisioner", "list")).out);
    try {
        for (const name of more) {
            await portreeve.api("POST", "/ca/provisioners", { name, kind: "jwk", key: { ...key, kid: name } });
        }
        // The server looks for new ones once a second.
        const deadline = performance.now() + 5_000;
        let found = await listed();
        while (found.length < more.length + 5 && performance.now() < deadline) found = await listed();
        const kinds = Object.fromEntries(found.map(({ name, type }) => [name, type]));
        const own = { admin: "JWK", signer: "JWK", x5c: "X5C", sshpop: "SSHPOP", "Contoso SSO": "OIDC" };
        assert.deepEqual(kinds, { ...own, ...Object.fromEntries(more.map((name) => [name, "JWK"])) });
        const { clientID, clientSecret, configurationEndpoint } = found.find(({ type }) => type === "OIDC");
        const { provider } = scene.world;
        assert.deepEqual([clientID, clientSecret, configurationEndpoint], [provider.native.id, "", provider.metadata]);
    } finally {
        for (const name of more) await portreeve.api("DELETE", `/ca/provisioners/${name}`);
    }
});

open("the keys that sign are told", async (scene) => {
    const { user_keys, host_keys } = await scene.world.portreeve.cli("ca", "status");
    const machine = await scene.machine();
    const lines = (text) => text.trim().split("\n").map((line) => line.split(" ").slice(0, 2).join(" "));
    assert.deepEqual(lines((await machine.step("ssh", "config", "--roots")).out), lines(user_keys.join("\n")));
    assert.deepEqual(lines((await machine.step("ssh", "config", "--host", "--roots")).out), lines(host_keys.join("\n")));
});
