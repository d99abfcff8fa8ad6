// People who sign in, and log in.

import assert from "node:assert/strict";

import { managed, open } from "../case.mjs";
import { me } from "../machine.mjs";
import { COMMON, Sshd } from "../sshd.mjs";
import { SHARED } from "../world.mjs";

/** The names of their accounts on hosts, which the directory makes of their user names. */
const ACCOUNTS = { "ada": "ada", "farid.haddad": "faridhaddad" };
const SSO = ["--provisioner", "Contoso SSO"];
const ADMIN = ["--provisioner", "admin", "--provisioner-password-file", "password"];
const NO_PASSWORD = ["--no-password", "--insecure", "--force"];

/** Signs somebody in, and gives the certificate in their agent. */
async function login(scene, machine, name, ...words) {
    const done = await scene.signIn(machine, name, "ssh", "login", ...SSO, ...words);
    assert.equal(done.code, 0, `${done}`);
    return inAgent(machine);
}

/** The certificate in somebody's agent. */
async function inAgent(machine) {
    const lines = (await machine.good("ssh-add", ["-L"])).out.split("\n");
    await machine.file("agent-cert.pub", `${lines.find((line) => line.includes("-cert-"))}\n`);
    return machine.certificate("agent-cert.pub");
}

open("somebody signs in with a browser and has a certificate in the agent", async (scene) => {
    const machine = await scene.machine();
    const certificate = await login(scene, machine, "farid.haddad");
    assert.equal(certificate.kind, "user");
    assert.equal(certificate.principals[0], ACCOUNTS["farid.haddad"]);
    assert.ok(certificate.principals.includes(SHARED), "the grant's own principal");
    assert.ok(!certificate.principals.some((name) => name.includes("@")), "nothing of the e-mail address");
    assert.match(await machine.keys(), /ECDSA-CERT/);
});

open("somebody without a browser signs in with a code", async (scene) => {
    const machine = await scene.machine();
    const certificate = await login(scene, machine, "farid.haddad", "--console");
    assert.equal(certificate.principals[0], ACCOUNTS["farid.haddad"]);
});

open("somebody brings the token of the provider along, once", async (scene) => {
    const machine = await scene.machine();
    const { provider } = scene.world;
    const asked = await scene.signIn(
        machine, "farid.haddad",
        "oauth", "--oidc", "--bare", "--provider", provider.metadata, "--client-id", provider.native.id,
    ); // prettier-ignore
    assert.equal(asked.code, 0, `${asked}`);
    const words = ["ssh", "login", "--token", asked.out.trim()];
    await machine.step(...words);
    assert.equal((await inAgent(machine)).principals[0], ACCOUNTS["farid.haddad"]);
    await machine.run("ssh-add", ["-D"]);
    await machine.refused(/lacked necessary authorization/, ...words);
});

open("what an admin is follows from the directory, too", async (scene) => {
    const certificate = await login(scene, await scene.machine(), "ada");
    assert.equal(certificate.principals[0], ACCOUNTS.ada);
});

open("who may log in to nothing is told so", async (scene) => {
    const machine = await scene.machine();
    const done = await scene.signIn(machine, "grace", "ssh", "login", ...SSO);
    assert.equal(done.code, 1, `${done}`);
    assert.match(done.err, /forbidden by the certificate authority/);
    assert.doesNotMatch(await machine.keys(), /CERT/);
});

open("certificates of others are not for the asking", async (scene) => {
    const machine = await scene.machine();
    const asking = ["ssh", "certificate", "root", "id", "--principal", "root", ...SSO, ...NO_PASSWORD];
    const done = await scene.signIn(machine, "farid.haddad", ...asking);
    assert.equal(done.code, 0, `${done}`);
    const { keyId, principals } = await machine.certificate("id-cert.pub");
    assert.equal(principals[0], ACCOUNTS["farid.haddad"], "what was asked for is ignored");
    assert.notEqual(keyId, "root");
    await machine.key("host", "-t", "ed25519");
    const asHost = ["ssh", "certificate", "h1.example.com", "host.pub", "--host", "--sign", ...SSO, ...NO_PASSWORD];
    const refused = await scene.signIn(machine, "farid.haddad", ...asHost);
    assert.equal(refused.code, 1, `${refused}`);
    assert.match(refused.err, /certificate type does not match - got host, want user/);
});

open("the agent tells what is in it, and forgets it", async (scene) => {
    const machine = await scene.machine();
    await login(scene, machine, "farid.haddad");
    const { out } = await machine.step("ssh", "list", "--raw");
    const inspected = await machine.good("step", ["ssh", "inspect"], { input: out });
    assert.match(inspected.out, /farid\.haddad/);
    const gone = await machine.step("ssh", "logout");
    assert.match(gone.out + gone.err, /removed/);
    assert.doesNotMatch(await machine.keys(), /CERT/);
});

open("somebody revokes their own certificate, and nobody else's", async (scene) => {
    const machine = await scene.machine();
    const { serial } = await login(scene, machine, "farid.haddad");
    const other = await scene.machine();
    const theirs = await login(scene, other, "ada");
    const refused = await scene.signIn(machine, "farid.haddad", "ssh", "revoke", theirs.serial, ...SSO);
    assert.equal(refused.code, 1, `${refused}`);
    for (const own of [serial, theirs.serial]) {
        // Ada may revoke all, and does so with both.
        const done = await scene.signIn(other, "ada", "ssh", "revoke", own, ...SSO);
        assert.equal(done.code, 0, `${done}`);
    }
});

/** A server of OpenSSH that is set up with what `step` says, on a machine that is the host `localhost`. */
async function server(scene) {
    const host = await scene.machine();
    await host.key("host", "-t", "ed25519");
    const certified = ["ssh", "certificate", "localhost", "host.pub", "--host", "--sign", ...ADMIN, ...NO_PASSWORD];
    await host.step(...certified);
    const variables = ["--set", "Certificate=host-cert.pub", "--set", "Key=host"];
    const { err } = await host.step("ssh", "config", "--host", "--dry-run", ...variables);
    const here = (text) => text.replaceAll("/etc/ssh/", `${host.home}/`);
    const snippet = err.match(/^Match all\n(?:\t.*\n?)*/m)[0];
    const key = err.match(/^(?:ecdsa|ssh)-\S+ \S+$/m)[0];
    await host.file("ca.pub", `${key}\n`);
    // The only account that it can let anybody in to takes the place of the shared one.
    const principals = await host.file("principals", `${SHARED}\n`);
    const own = [COMMON, `AuthorizedPrincipalsFile ${principals}`, `RevokedKeys ${host.path("krl")}`];
    const config = await host.file("sshd_config", [...own, here(snippet), ""].join("\n"));
    const fetchRevoked = async () => {
        const { krl } = await scene.world.portreeve.api("GET", "/ca/krl");
        await host.file("krl", Buffer.from(krl, "base64"));
    };
    await fetchRevoked();
    await host.good("/usr/sbin/sshd", ["-t", "-f", config]);
    return { sshd: scene.use(await Sshd.start(config)), fetchRevoked };
}

/** The words of plain `ssh`, with the configuration that `step` has written. */
function sshWords(machine, sshd, ...words) {
    const options = ["-F", machine.path(".ssh/config"), "-o", "BatchMode=yes", "-p", String(sshd.port)];
    return [...options, "-l", me, "localhost", ...words];
}

function ssh(machine, sshd, ...words) {
    return machine.run("ssh", sshWords(machine, sshd, ...words));
}

open("plain ssh logs in with what step has written, until the person is deactivated", async (scene) => {
    const { directory, people } = scene.world;
    const { sshd, fetchRevoked } = await server(scene);
    const machine = await scene.machine();
    const { keyId, serial } = await login(scene, machine, "farid.haddad");
    await machine.step("ssh", "config", "--force");
    assert.match(await machine.read(".step/ssh/config"), /User faridhaddad/);
    const done = await ssh(machine, sshd, "echo in; exit 7");
    assert.deepEqual([done.code, done.out], [7, "in\n"], `${done}\n${sshd.said}`);
    assert.ok(sshd.said.includes(`ID ${keyId} (serial ${serial})`), sshd.said);

    await directory.replace(people["farid.haddad"], "active", false);
    try {
        await fetchRevoked();
        const refused = await ssh(machine, sshd, "true");
        assert.equal(refused.code, 255, `${refused}`);
        assert.match(sshd.said, /revoked/);
        const again = await scene.signIn(await scene.machine(), "farid.haddad", "ssh", "login", ...SSO);
        assert.equal(again.code, 1, `${again}`);
        assert.match(again.err, /lacked necessary authorization|forbidden/);
    } finally {
        await directory.replace(people["farid.haddad"], "active", true);
    }
});

open("plain ssh signs in by itself, whatever the account it goes to", async (scene) => {
    const { sshd } = await server(scene);
    const machine = await scene.machine();
    await machine.step("ssh", "config", "--force", "--set", "User=faridhaddad");
    const words = sshWords(machine, sshd, "echo in");
    const done = await scene.signInBy(machine, "farid.haddad", "ssh", ...words);
    assert.deepEqual([done.code, done.out], [0, "in\n"], `${done}\n${sshd.said}`);
    assert.equal((await inAgent(machine)).principals[0], ACCOUNTS["farid.haddad"]);
});

open("several authorities live beside each other in contexts", async (scene) => {
    const { url, authority } = scene.world;
    const { sshd } = await server(scene);
    const machine = await scene.bareMachine();
    const trusting = ["--ca-url", url, "--fingerprint", authority.fingerprint, "--force"];
    for (const context of ["acme", "other"]) await machine.step("ca", "bootstrap", ...trusting, "--context", context);
    await machine.step("context", "select", "acme");
    await login(scene, machine, "farid.haddad");
    await machine.step("ssh", "config", "--force");
    const config = await machine.read(".step/authorities/acme/ssh/config");
    assert.match(config, /check-host --context acme %h/);
    const done = await ssh(machine, sshd, "echo in");
    assert.deepEqual([done.code, done.out], [0, "in\n"], `${done}\n${sshd.said}`);
});

/** The one command that a person is given. */
async function join(scene, machine, name) {
    const { portreeve } = scene.world;
    const [{ name: team }] = await portreeve.api("GET", "/teams");
    const { team_url: url } = await portreeve.api("GET", "/ca/step");
    return scene.signIn(machine, name, "ssh", "config", "--team", team, "--team-url", url, "--force");
}

for (const name of ["farid.haddad", "ada"]) {
    managed(`one command takes ${name} from nothing to plain ssh`, async (scene) => {
        const { sshd } = await server(scene);
        const machine = await scene.bareMachine();
        const done = await join(scene, machine, name);
        assert.equal(done.code, 0, `${done}`);
        for (const file of [".ssh/config", ".step/ssh/includes", ".step/ssh/config", ".step/ssh/known_hosts"]) {
            assert.ok(machine.has(file), file);
        }
        assert.match(await machine.read(".step/identity/identity.crt"), /BEGIN CERTIFICATE/);
        assert.equal((await inAgent(machine)).principals[0], ACCOUNTS[name]);
        const shown = await machine.step("ssh", "hosts");
        assert.match(shown.out, /h1\.example\.com/);
        assert.doesNotMatch(shown.out, /db\.example\.com/, "what somebody does not reach is not listed");
        const inside = await ssh(machine, sshd, "echo in");
        assert.deepEqual([inside.code, inside.out], [0, "in\n"], `${inside}\n${sshd.said}`);
        const beyond = await machine.run("step", ["ssh", "check-host", "db.example.com", "--verbose"]);
        assert.deepEqual([beyond.code, beyond.out.trim()], [1, "false"], `${beyond}`);
    });
}

managed("who has no certificate signs in first, and whose has run out again", async (scene) => {
    const machine = await scene.machine();
    const first = await scene.signIn(machine, "farid.haddad", "ssh", "hosts");
    assert.equal(first.code, 0, `${first}`);
    assert.match(first.out, /h1\.example\.com/);
    assert.match(await machine.read(".step/identity/identity.crt"), /BEGIN CERTIFICATE/);
    await machine.step(
        "certificate", "create", "farid", ".step/identity/identity.crt", ".step/identity/identity_key",
        "--profile", "self-signed", "--subtle", "--not-before", "-2h", "--not-after", "-1h", ...NO_PASSWORD,
    ); // prettier-ignore
    const again = await scene.signIn(machine, "farid.haddad", "ssh", "hosts");
    assert.equal(again.code, 0, `${again}`);
    assert.match(again.out, /h1\.example\.com/);
});

managed("whoever is deactivated is told nothing more", async (scene) => {
    const { directory, people } = scene.world;
    const machine = await scene.machine();
    const before = await scene.signIn(machine, "farid.haddad", "ssh", "hosts");
    assert.equal(before.code, 0, `${before}`);
    await directory.replace(people["farid.haddad"], "active", false);
    try {
        const after = await scene.signIn(machine, "farid.haddad", "ssh", "hosts");
        assert.equal(after.code, 1, `${after}`);
        assert.doesNotMatch(after.out, /example\.com/);
    } finally {
        await directory.replace(people["farid.haddad"], "active", true);
    }
});
