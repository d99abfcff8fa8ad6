// Somebody who signs in at the OpenID provider of the tests, with a browser that only they would call one.

/** The form of a page, filled in. */
function filled(page, name) {
    const form = new URLSearchParams();
    for (const [input] of page.matchAll(/<input[^>]*>/g)) {
        const attribute = (name) => input.match(new RegExp(`${name}="([^"]*)"`))?.[1] ?? "";
        if (attribute("name")) form.set(attribute("name"), attribute("value"));
    }
    if (form.has("name")) form.set("name", name);
    const action = page.match(/<form[^>]* action="([^"]*)"/)?.[1];
    return { action, form };
}

/** Opens an address, goes through the provider's pages as somebody, and ends where there is nothing more to fill in. */
export async function browse(address, name) {
    const cookies = new Map();
    let [url, body] = [new URL(address), undefined];
    for (let turn = 0; turn < 20; turn += 1) {
        const answer = await fetch(url, {
            method: body ? "POST" : "GET",
            headers: { Cookie: [...cookies].map((cookie) => cookie.join("=")).join("; ") },
            body,
            redirect: "manual",
        });
        for (const cookie of answer.headers.getSetCookie()) {
            const [, key, value] = cookie.match(/^([^=]+)=([^;]*)/);
            cookies.set(key, value);
        }
        const next = answer.headers.get("location");
        if (next) {
            [url, body] = [new URL(next, url), undefined];
            continue;
        }
        const page = await answer.text();
        if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${page}`);
        if (!page.includes("<form")) return page;
        const { action, form } = filled(page, name);
        [url, body] = [new URL(action ?? url, url), form];
    }
    throw new Error(`signing in at ${address} came to no end`);
}
