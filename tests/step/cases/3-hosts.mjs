// Hosts: their certificates, and what people are told about them.

import assert from "node:assert/strict";

import { managed, open } from "../case.mjs";
import { step } from "../machine.mjs";

const ADMIN = ["--provisioner", "admin", "--provisioner-password-file", "password"];
const NO_PASSWORD = ["--no-password", "--insecure", "--force"];
const SSHPOP = ["--provisioner", "sshpop", "--force"];

/** A machine with a host's key and certificate. */
async function host(scene, name = "h1.example.com") {
    const machine = await scene.machine();
    await machine.key("host", "-t", "ecdsa");
    await machine.step("ssh", "certificate", name, "host.pub", "--host", "--sign", ...ADMIN, ...NO_PASSWORD);
    return machine;
}

open("a host renews its certificate with itself", async (scene) => {
    const machine = await host(scene);
    const before = await machine.certificate("host-cert.pub");
    await machine.step("ssh", "renew", "host-cert.pub", "host", ...SSHPOP);
    const after = await machine.certificate("host-cert.pub");
    assert.notEqual(after.serial, before.serial);
    for (const same of ["kind", "keyId", "key", "seconds"]) assert.equal(after[same], before[same], same);
    assert.deepEqual(after.principals, before.principals);
});

open("a host takes a new key", async (scene) => {
    const machine = await host(scene);
    const before = await machine.certificate("host-cert.pub");
    await machine.step("ssh", "rekey", "host-cert.pub", "host", "--out", "new", "--no-password", "--insecure", ...SSHPOP);
    for (const file of ["new", "new.pub", "new-cert.pub"]) assert.ok(machine.has(file), file);
    const after = await machine.certificate("new-cert.pub");
    assert.notEqual(after.key, before.key);
    assert.deepEqual(after.principals, before.principals);
});

open("people do not renew their certificates with themselves", async (scene) => {
    const machine = await scene.machine();
    await machine.step("ssh", "certificate", "joe", "id", ...ADMIN, ...NO_PASSWORD);
    await machine.refused(/must be a host ssh certificate/, "ssh", "renew", "id-cert.pub", "id", ...SSHPOP);
});

open("a revoked certificate is not renewed", async (scene) => {
    const machine = await host(scene);
    const { serial } = await machine.certificate("host-cert.pub");
    const revoking = ["ssh", "revoke", serial, "--sshpop-cert", "host-cert.pub", "--sshpop-key", "host"];
    const done = await machine.step(...revoking, "--provisioner", "sshpop");
    assert.match(done.out + done.err, /has been revoked/);
    const revoked = await scene.world.portreeve.api("GET", `/certificates/${serial}`);
    assert.ok(revoked.revoked_at, JSON.stringify(revoked));
    const renewing = ["ssh", "renew", "host-cert.pub", "host", ...SSHPOP];
    await machine.refused(/lacked necessary authorization/, ...renewing);
});

open("a certificate says what it is, and whether it is time for another one", async (scene) => {
    const machine = await host(scene);
    const fresh = await machine.run("step", ["ssh", "needs-renewal", "host-cert.pub", "--expires-in", "75%"]);
    // More than a quarter of its life is before it: it is not time, which is said with a failure.
    assert.equal(fresh.code, 1, `${fresh}`);
    const { out } = await machine.step("ssh", "inspect", "host-cert.pub", "--format", "json");
    const { serial, keyId, principals } = await machine.certificate("host-cert.pub");
    const read = JSON.parse(out);
    assert.deepEqual([read.Type, read.KeyID, read.Principals], ["host", keyId, principals], out);
    // Too large for a number of JavaScript.
    assert.ok(new RegExp(`"Serial":\\s*"?${serial}\\b`).test(out), out);
    const fingerprint = (await machine.step("ssh", "fingerprint", "host-cert.pub")).out;
    assert.match(fingerprint, /SHA256:/);
});

open("known hosts are known and others are not", async (scene) => {
    const machine = await scene.machine();
    for (const name of ["h1.example.com", "H1.EXAMPLE.COM"]) {
        const known = await machine.step("ssh", "check-host", name, "--verbose");
        assert.equal(known.out.trim(), "true", name);
    }
    const unknown = await machine.run("step", ["ssh", "check-host", "nobody.example.com", "--verbose"]);
    assert.deepEqual([unknown.code, unknown.out.trim()], [1, "false"], `${unknown}`);
});

open("hosts are listed with their tags", async (scene) => {
    const machine = await scene.machine();
    const { out } = await machine.step("ssh", "hosts");
    const [title, ...rows] = out.trim().split("\n").map((line) => line.trim().split(/\s+/));
    assert.deepEqual(title, ["HOSTNAME", "ID", "TAGS"]);
    const tags = Object.fromEntries(rows.map(([name, , tags]) => [name, tags]));
    assert.equal(tags.localhost, "env=prod,role=web");
    assert.equal(tags["db.example.com"], "role=db");
});

open("a host behind another one is reached through it", async (scene) => {
    const machine = await scene.machine();
    // `step` runs the first ssh of the path, and that one tells its words.
    const env = { PATH: `${machine.path("bin")}:${process.env.PATH}` };
    await machine.run("mkdir", ["bin"]);
    await machine.file("bin/ssh", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n", 0o700);
    const signedIn = await scene.signIn(machine, "farid.haddad", "ssh", "login", "--provisioner", "Contoso SSO");
    assert.equal(signedIn.code, 0, `${signedIn}`);
    const done = await machine.run(step, ["ssh", "proxycommand", "joe", "inner.example.com", "22"], { env });
    assert.equal(done.code, 0, `${done}`);
    assert.deepEqual(done.out.trim().split("\n"), ["bastion.example.com", "nc", "inner.example.com", "22"]);
});

open("a host is told what its server is to be given", async (scene) => {
    const machine = await host(scene);
    const variables = ["--set", "Certificate=host-cert.pub", "--set", "Key=host"];
    const { err } = await machine.step("ssh", "config", "--host", "--dry-run", ...variables);
    const lines = ["TrustedUserCAKeys /etc/ssh/ca.pub", "HostCertificate /etc/ssh/host-cert.pub", "HostKey /etc/ssh/host"];
    for (const line of lines) assert.ok(err.includes(`\t${line}`), err);
    await machine.refused(
        /required variable 'Key' is missing, please use `--set <key=value>` flag/,
        "ssh", "config", "--host", "--dry-run", "--set", "Certificate=host-cert.pub",
    );
});

managed("a host is known by a certificate of its own, which is renewed with the other", async (scene) => {
    const machine = await host(scene);
    const identity = async () => {
        const { out } = await machine.step("certificate", "inspect", ".step/identity/identity.crt", "--format", "json");
        return JSON.parse(out);
    };
    const before = await identity();
    const { uniform_resource_identifiers: uris, dns_names: names } = before.extensions.subject_alt_name;
    assert.deepEqual(names, ["h1.example.com"]);
    assert.ok(uris.some((uri) => uri.startsWith("urn:uuid:")), `${uris}`);
    assert.match((await machine.step("ssh", "hosts")).out, /db\.example\.com/);
    await machine.step("ssh", "renew", "host-cert.pub", "host", ...SSHPOP);
    const after = await identity();
    assert.notEqual(after.serial_number, before.serial_number);
    assert.deepEqual(after.extensions.subject_alt_name, before.extensions.subject_alt_name);
});
