// Certificates for whom a provisioner vouches.

import assert from "node:assert/strict";

import { managed, open } from "../case.mjs";

const HOUR = 3600;
const ADMIN = ["--provisioner", "admin", "--provisioner-password-file", "password"];
const NO_PASSWORD = ["--no-password", "--insecure", "--force"];
/** How far before now a certificate begins. */
const BACKDATE = 60;

open("somebody for whom a key vouches gets a certificate of 16 hours", async (scene) => {
    const machine = await scene.machine();
    await machine.step("ssh", "certificate", "joe@work", "id", ...ADMIN, ...NO_PASSWORD);
    const certificate = await machine.certificate("id-cert.pub");
    assert.equal(certificate.kind, "user");
    assert.equal(certificate.keyId, "joe@work");
    assert.deepEqual(certificate.principals, ["joe", "joe@work"]);
    assert.equal(certificate.seconds, 16 * HOUR + BACKDATE);
    assert.deepEqual(certificate.options, []);
    assert.ok(certificate.extensions.includes("permit-pty"));
    assert.match(await machine.keys(), /joe@work .*-CERT/);
});

open("a shorter certificate is given, a longer one is not", async (scene) => {
    const machine = await scene.machine();
    const asking = ["ssh", "certificate", "joe@work", "id", ...ADMIN, ...NO_PASSWORD, "--not-after"];
    await machine.step(...asking, "1h");
    const { seconds } = await machine.certificate("id-cert.pub");
    assert.ok(Math.abs(seconds - HOUR - BACKDATE) <= 1, `${seconds} s`);
    await machine.refused(/forbidden by the certificate authority: requested duration of 48h\S* is /, ...asking, "48h");
});

open("a token is good for once", async (scene) => {
    const machine = await scene.machine();
    const token = (await machine.step("ca", "token", "joe", "--ssh", ...ADMIN)).out.trim();
    await machine.step("ssh", "certificate", "joe", "first", "--token", token, ...NO_PASSWORD);
    assert.deepEqual((await machine.certificate("first-cert.pub")).principals, ["joe"]);
    const again = ["ssh", "certificate", "joe", "second", "--token", token, ...NO_PASSWORD];
    await machine.refused(/lacked necessary authorization/, ...again);
    assert.ok(!machine.has("second-cert.pub"));
});

open("a token is for whom it says", async (scene) => {
    const machine = await scene.machine();
    const token = (await machine.step("ca", "token", "joe", "--ssh", "--principal", "joe", ...ADMIN)).out.trim();
    const asking = ["ssh", "certificate", "root", "id", "--token", token, ...NO_PASSWORD];
    await machine.refused(/principals does not match - got \[root\], want \[joe\]/, ...asking);
});

open("a host gets a certificate of 30 days", async (scene) => {
    const machine = await scene.machine();
    await machine.key("host", "-t", "ed25519");
    await machine.step("ssh", "certificate", "h1.example.com", "host.pub", "--host", "--sign", ...ADMIN, ...NO_PASSWORD);
    const certificate = await machine.certificate("host-cert.pub");
    assert.equal(certificate.kind, "host");
    assert.deepEqual(certificate.principals, ["h1.example.com"]);
    assert.equal(certificate.seconds, 30 * 24 * HOUR + BACKDATE);
    assert.deepEqual(certificate.extensions, []);
});

open("who signs with an X.509 certificate gets one that ends no later", async (scene) => {
    const { office } = scene.world;
    const machine = await scene.machine();
    const signing = ["--x5c-cert", office.path("robot.crt"), "--x5c-key", office.path("robot.key"), "--provisioner", "x5c"];
    await machine.step("ssh", "certificate", "robot", "id", ...signing, ...NO_PASSWORD);
    const certificate = await machine.certificate("id-cert.pub");
    assert.deepEqual(certificate.principals, ["robot"]);
    const leaf = JSON.parse((await office.step("certificate", "inspect", "robot.crt", "--format", "json")).out);
    assert.ok(certificate.before <= Date.parse(leaf.validity.end), `${certificate.before}, ${leaf.validity.end}`);
    const longer = ["ssh", "certificate", "robot", "other", "--not-after", "10h", ...signing, ...NO_PASSWORD];
    await machine.refused(/forbidden by the certificate authority/, ...longer);
});

managed("a program renews its X.509 certificate with itself", async (scene) => {
    const machine = await scene.machine();
    await machine.step("ca", "certificate", "program.example.com", "program.crt", "program.key", ...ADMIN);
    const [certificate, key] = [await machine.read("program.crt"), await machine.read("program.key")];
    await machine.step("ca", "renew", "program.crt", "program.key", "--force");
    const renewed = await machine.read("program.crt");
    assert.notEqual(renewed, certificate);
    await machine.step("ca", "rekey", "program.crt", "program.key", "--force");
    assert.notEqual(await machine.read("program.crt"), renewed);
    assert.notEqual(await machine.read("program.key"), key);
    await machine.step("certificate", "verify", "program.crt", "--roots", ".step/certs/root_ca.crt");
});

open("programs get X.509 certificates, and lose them", async (scene) => {
    const machine = await scene.machine();
    await machine.step("ca", "certificate", "program.example.com", "program.crt", "program.key", ...ADMIN);
    await machine.step("certificate", "verify", "program.crt", "--roots", ".step/certs/root_ca.crt");
    const serial = async () =>
        JSON.parse((await machine.step("certificate", "inspect", "program.crt", "--format", "json")).out).serial_number;
    const first = await serial();
    const token = async () => (await machine.step("ca", "token", first, "--revoke", ...ADMIN)).out.trim();
    await machine.step("ca", "revoke", first, "--token", await token());
    await machine.refused(/already revoked/, "ca", "revoke", first, "--token", await token());
});
