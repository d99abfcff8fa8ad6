// A server with a company in it: people who sign in at a provider, hosts, grants, and those whose tokens get certificates.

import { once } from "node:events";
import { createServer, request } from "node:https";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

import { arrive, claims, tenant } from "../browser/company.mjs";
import { Portreeve } from "../browser/portreeve.mjs";
import { Provider } from "../browser/provider.mjs";
import { Authority, Signer } from "./authority.mjs";
import { browse } from "./browse.mjs";
import { Machine } from "./machine.mjs";

/** The password of the key of the provisioner `admin`. */
export const PASSWORD = "a password of twelve characters and more";

/** An account that several people may use: a principal that the grant of `web-ops` gives. */
export const SHARED = "deploy";

const UNLIMITED = ["--rate-limit-address", "0", "--rate-limit-token", "0"];
const HOSTS = [
    { name: "localhost", tags: { role: "web", env: "prod" } },
    { name: "h1.example.com", tags: { role: "web" } },
    { name: "bastion.example.com", tags: { role: "web" }, is_bastion: true },
    { name: "inner.example.com", tags: { role: "web" }, bastion: "bastion.example.com" },
    { name: "db.example.com", tags: { role: "db" } },
];

/** Starts worlds when they are needed for the first time. */
export class Worlds {
    #log;
    #started = new Map();
    #ending = new AsyncDisposableStack();

    constructor(log) {
        this.#log = log;
    }

    of(kind) {
        if (!this.#started.has(kind)) this.#started.set(kind, this.#start(kind));
        return this.#started.get(kind);
    }

    async #start(kind) {
        const world = new World();
        this.#ending.defer(() => world[Symbol.asyncDispose]());
        await world.start(kind, this.#log);
        return world;
    }

    [Symbol.asyncDispose]() {
        return this.#ending.disposeAsync();
    }
}

class World {
    portreeve;
    provider;
    directory;
    /** The ids of the people, by name. */
    people;
    authority;
    /** Where clients are sent. */
    url;
    /** The provisioner `signer`, whose key is here. */
    signer = new Signer("signer");
    /** A machine with certificates that the world's own programs have, and with those of a company that signs X.509 ones. */
    office;
    #ending = new AsyncDisposableStack();

    async start(kind, log) {
        this.office = this.#ending.use(await Machine.start());
        const trusted = kind.needsStep ? await this.#certify() : {};
        this.portreeve = this.#ending.use(
            await Portreeve.start(log, ["--ca-listen", "127.0.0.1:0", ...UNLIMITED], trusted),
        );
        const { portreeve } = this;
        await portreeve.api("POST", "/ca/provisioners", { name: "signer", kind: "jwk", key: this.signer.key });
        for (const host of HOSTS) await portreeve.api("POST", "/hosts", host);
        this.authority = await Authority.at(await portreeve.cli("ca", "status"));
        this.url = this.authority.url;
        if (kind.needsStep) await this.#fill();
        await portreeve.api("PATCH", "/ca/step", { mode: kind.mode });
        if (kind.proxied) await this.#proxy();
    }

    /** A root that everybody trusts, with what it has signed: for the provider, and for programs that sign with X.509. */
    async #certify() {
        const { office } = this;
        const plain = ["--no-password", "--insecure"];
        const signed = ["--profile", "leaf", "--ca", "public.crt", "--ca-key", "public.key", ...plain];
        await office.step("certificate", "create", "Public root", "public.crt", "public.key", "--profile", "root-ca", ...plain);
        await office.step("certificate", "create", "localhost", "site.crt", "site.key", "--san", "localhost", ...signed);
        await office.step("certificate", "create", "robot", "robot.crt", "robot.key", "--not-after", "2h", ...signed);
        setDefaultCACertificates([...getCACertificates(), await office.read("public.crt")]);
        return { SSL_CERT_FILE: office.path("public.crt") };
    }

    /** People who sign in at a provider, and what they may do. */
    async #fill() {
        const { portreeve, office } = this;
        this.provider = this.#ending.use(
            await Provider.start({
                people: Object.fromEntries(["ada", "farid.haddad", "grace"].map((name) => [name, claims(name)])),
                tls: { cert: await office.read("site.crt"), key: await office.read("site.key") },
            }),
        );
        this.directory = await portreeve.directory("Contoso", "--provider", "entra");
        const { people } = await arrive(this.directory);
        this.people = people;
        await portreeve.connect(this.directory, this.provider, { tenant_id: tenant });
        await portreeve.api("PATCH", `/directories/${this.directory.id}/users/${people.ada}`, { level: "admin" });
        await portreeve.api("POST", "/grants", { group: "web-ops", hosts: "role=web", principals: [SHARED] });
        const declare = (name, kind, more) => portreeve.api("POST", "/ca/provisioners", { name, kind, ...more });
        await declare("admin", "jwk", { password: PASSWORD });
        await declare("x5c", "x5c", { roots: await office.read("public.crt") });
        await declare("Contoso SSO", "oidc", { directory: this.directory.id, client_id: this.provider.native.id });
    }

    /** A proxy before the authority, below `/1.0` of which all is the same. */
    async #proxy() {
        await this.#bootstrap(this.office);
        await this.office.file("password", PASSWORD);
        await this.office.step(
            "ca", "certificate", "127.0.0.1", "proxy.crt", "proxy.key",
            "--provisioner", "admin", "--provisioner-password-file", "password",
        ); // prettier-ignore
        const upstream = this.authority;
        const tls = { cert: await this.office.read("proxy.crt"), key: await this.office.read("proxy.key") };
        const proxy = createServer(tls, (asked, answer) => {
            const { method, headers } = asked;
            const options = { method, headers, ca: upstream.root, agent: false };
            const passed = request(`${upstream.url}/1.0${asked.url}`, options, (response) => {
                answer.writeHead(response.statusCode, response.headers);
                response.pipe(answer);
            });
            passed.on("error", () => answer.destroy());
            asked.pipe(passed);
        });
        proxy.listen(0, "127.0.0.1");
        await once(proxy, "listening");
        this.#ending.defer(() => {
            proxy.closeAllConnections();
            proxy.close();
        });
        this.url = `https://127.0.0.1:${proxy.address().port}`;
    }

    async #bootstrap(machine) {
        const { url, authority } = this;
        await machine.step("ca", "bootstrap", "--ca-url", url, "--fingerprint", authority.fingerprint, "--force");
    }

    /** What one case has. */
    async scene() {
        return new Scene(this, (machine) => this.#bootstrap(machine));
    }

    [Symbol.asyncDispose]() {
        return this.#ending.disposeAsync();
    }
}

/** One case in a world. What it starts ends with it. */
class Scene {
    world;
    #bootstrap;
    #ending = new AsyncDisposableStack();

    constructor(world, bootstrap) {
        this.world = world;
        this.#bootstrap = bootstrap;
    }

    /** A machine that knows nothing of the authority. */
    async bareMachine() {
        const env = this.world.provider ? { SSL_CERT_FILE: this.world.office.path("public.crt") } : {};
        const machine = this.use(await Machine.start(env));
        await machine.file("password", PASSWORD);
        return machine;
    }

    /** A machine that trusts the authority. */
    async machine() {
        const machine = await this.bareMachine();
        await this.#bootstrap(machine);
        return machine;
    }

    /** Has what is given end with the case. */
    use(what) {
        return this.#ending.use(what);
    }

    /** Runs `step` with words that make it sign somebody in. */
    signIn(machine, name, ...words) {
        return this.signInBy(machine, name, "step", ...words);
    }

    /** Runs a program that signs somebody in. */
    async signInBy(machine, name, program, ...words) {
        let [signingIn, failure] = [];
        const address = new RegExp(`${this.world.provider.issuer}/\\S*[^\\s:]`);
        const seen = (line, started) => {
            const [found] = line.match(address) ?? [];
            if (!found || signingIn) return;
            signingIn = browse(found, name).catch((error) => {
                failure = error;
                // It would wait for minutes.
                started.kill();
            });
        };
        const done = await machine.run(program, words, { seen });
        await signingIn;
        if (failure) throw failure;
        return done;
    }

    [Symbol.asyncDispose]() {
        return this.#ending.disposeAsync();
    }
}
