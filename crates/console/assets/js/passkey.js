// Passkeys: the browser's dialog, and the server's question and verdict before and after it.

import { toast } from "./dom.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(url, body) {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify(body) });
  const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.detail ?? said.title ?? "The server did not accept it.");
  return said;
}

const credentials = (list) => (list ?? []).map((entry) => ({ ...entry, id: bytes(entry.id) }));

async function register(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: credentials(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  return {
    id: made.id, rawId: made.id, type: made.type, clientExtensionResults: {},
    response: { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject), transports: made.response.getTransports?.() ?? [] },
  };
}

async function signIn(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: credentials(options.allowCredentials) };
  const got = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = got.response;
  return {
    id: got.id, rawId: got.id, type: got.type, clientExtensionResults: {},
    response: { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature), userHandle: userHandle ? text(userHandle) : null },
  };
}

async function run(button) {
  const purpose = button.dataset.passkey;
  const asked = await post("/auth/passkey/options", { purpose });
  const options = asked.publicKey ?? asked;
  const credential = await (purpose === "register" ? register(options) : signIn(options));
  const name = button.form?.elements.namedItem("name")?.value;
  const verdict = await post("/auth/passkey/verify", { purpose, credential, ...(name ? { name } : {}), return_to: button.dataset.returnTo });
  const next = new URL(verdict.location ?? location.href, location.href);
  if (next.origin !== location.origin) throw new Error("The server named a place elsewhere.");
  if (next.href === location.href) location.reload();
  else location.assign(next.href);
}

export function start() {
  for (const button of document.querySelectorAll("[data-passkey]")) {
    if (!globalThis.PublicKeyCredential) {
      button.disabled = true;
      button.title = "This browser, or this address without https, has no passkeys.";
      continue;
    }
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      if (button.form && !button.form.reportValidity()) return;
      button.setAttribute("aria-disabled", "true");
      try {
        await run(button);
      } catch (error) {
        // Whoever closes the browser's dialog knows it.
        if (error.name !== "NotAllowedError" && error.name !== "AbortError") toast(error.message, true);
      } finally {
        button.removeAttribute("aria-disabled");
      }
    });
  }
}
