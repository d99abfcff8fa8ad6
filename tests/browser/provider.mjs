// An OpenID provider that others have written and certified (oidc-provider), with people of the story's own.

import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";

import { OpenIdProvider } from "./packages.mjs";

export class Provider {
    issuer;
    /** What Portreeve is registered with. */
    client = { id: "portreeve", secret: "a-secret-between-the-two" };
    /** What a program on people's own machines is registered with. It keeps no secret. */
    native = { id: "program" };
    /** The requests to its authorization end point, as they came. */
    authorizations = [];
    #people;
    #server;

    /**
     * @param redirects the redirect URIs that are registered
     * @param people by the name they sign in with: the claims of their ID token, without `sub`
     * @param afterSignOut the addresses that a sign-out may lead back to
     * @param tls key and certificate (PEM) of `localhost`, for clients that insist on https
     */
    static async start({ redirects = [], people = {}, afterSignOut = [], tls }) {
        const provider = new Provider();
        provider.#people = new Map(Object.entries(people));
        provider.#server = (tls ? createSecureServer(tls) : createServer()).listen(0, "127.0.0.1");
        await once(provider.#server, "listening");
        // Another site than Portreeve's, as in real life.
        const { port } = provider.#server.address();
        provider.issuer = tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
        const oidc = new OpenIdProvider(provider.issuer, provider.#configuration(redirects, afterSignOut));
        const callback = oidc.callback();
        provider.#server.on("request", (request, response) => {
            const url = new URL(request.url, provider.issuer);
            if (url.pathname === "/auth") provider.authorizations.push(url.searchParams);
            if (url.pathname.startsWith("/interaction/")) return interact(oidc, request, response);
            callback(request, response);
        });
        return provider;
    }

    /** Where the metadata are, as it is pasted into a connection. */
    get metadata() {
        return `${this.issuer}/.well-known/openid-configuration`;
    }

    /** Changes the claims of a person, or adds one. */
    person(name, claims) {
        this.#people.set(name, claims);
    }

    #configuration(redirects, afterSignOut) {
        return {
            clients: [{
                client_id: this.client.id,
                client_secret: this.client.secret,
                redirect_uris: redirects,
                post_logout_redirect_uris: afterSignOut,
            }, {
                client_id: this.native.id,
                application_type: "native",
                token_endpoint_auth_method: "none",
                grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
                redirect_uris: ["http://127.0.0.1"],
            }],
            claims: {
                openid: ["sub", "oid", "tid"],
                email: ["email", "email_verified"],
                profile: ["name", "preferred_username"],
            },
            // As Entra does: what the scopes ask for is in the ID token.
            conformIdTokenClaims: false,
            findAccount: (_, name) => {
                const claims = this.#people.get(name);
                return claims && { accountId: name, claims: () => ({ sub: name, ...claims }) };
            },
            features: {
                deviceFlow: { enabled: true },
                devInteractions: { enabled: false },
                rpInitiatedLogout: { enabled: true, logoutSource },
            },
            interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
            pkce: { required: () => true },
            cookies: { keys: ["keys of one run"] },
            ttl: { AccessToken: 600, AuthorizationCode: 60, DeviceCode: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
        };
    }

    async [Symbol.asyncDispose]() {
        this.#server.closeAllConnections();
        this.#server.close();
        await once(this.#server, "close");
    }
}

/** The provider's pages: a name, without a password, and then consent. */
async function interact(oidc, request, response) {
    const { prompt, params, session } = await oidc.interactionDetails(request, response);
    if (request.method === "GET") {
        const form = prompt.name === "login"
            ? `<h1>Sign in</h1><label>Name <input name="name" value="${escape(params.login_hint ?? "")}"></label><button>Continue</button>`
            : `<h1>Consent</h1><p>${escape(params.client_id)} asks for ${escape(params.scope)}</p><button>Allow</button>`;
        response.setHeader("Content-Type", "text/html; charset=utf-8");
        response.end(`<!doctype html><html lang="en"><title>Provider</title><link rel="icon" href="data:,">`
            + `<form method="post">${form}<button name="refuse" value="yes">Refuse</button></form></html>`);
        return;
    }
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
    await oidc.interactionFinished(request, response, await outcome(oidc, prompt, params, session, form), {
        mergeWithLastSubmission: prompt.name !== "login",
    });
}

async function outcome(oidc, prompt, params, session, form) {
    if (form.has("refuse")) return { error: "access_denied", error_description: "The person refused" };
    if (prompt.name === "login") return { login: { accountId: form.get("name") } };
    const grant = new oidc.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(" "));
    grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
    return { consent: { grantId: await grant.save() } };
}

/** The page that asks whether to sign out at the provider, too. `form` is the provider's own. */
function logoutSource(context, form) {
    context.body = `<!doctype html><html lang="en"><title>Provider</title><link rel="icon" href="data:,"><h1>Sign out</h1>${form}`
        + `<button form="op.logoutForm" name="logout" value="yes">Sign out here, too</button></html>`;
}

function escape(text) {
    return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
