// What is shown, one by one.

/** The worlds that cases play in. */
export const WORLDS = {
    /** No `step`: only OpenSSH. */
    plain: { needsStep: false, mode: "open" },
    /** As a step-ca of one's own is. */
    open: { needsStep: true, mode: "open" },
    /** The same, reached below `/1.0` by a proxy, without HTTP/2. */
    proxied: { needsStep: true, mode: "open", proxied: true },
    /** As Smallstep's hosted product is: whoever asks has a certificate. */
    managed: { needsStep: true, mode: "managed" },
};

/** All cases, in their order. */
export const cases = [];

/** One case. `act` gets a {@link Scene}. */
export function plain(name, act) {
    cases.push({ name, world: WORLDS.plain, act });
}

/** One of `step`, which is to come out the same through a proxy. */
export function open(name, act) {
    cases.push({ name, world: WORLDS.open, act });
    cases.push({ name: `through a proxy: ${name}`, world: WORLDS.proxied, act });
}

/** One of `step` where everybody has a certificate. */
export function managed(name, act) {
    cases.push({ name, world: WORLDS.managed, act });
}
