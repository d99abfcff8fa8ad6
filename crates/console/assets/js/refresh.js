// Asks for a page again and takes over parts of it.

import { morph } from "./morph.js";
import { sayTimes } from "./times.js";

/** The page at an address, or nothing where the browser has to go elsewhere, such as to where one signs in. */
export async function ask(url, signal) {
  const answer = await fetch(url, { headers: { accept: "text/html" }, signal });
  if (answer.redirected && new URL(answer.url).pathname !== new URL(url, location.href).pathname) {
    location.assign(answer.url);
    return null;
  }
  // It is gone, or not for this person any more: the page that says so.
  if ([401, 403, 404, 410].includes(answer.status)) {
    location.reload();
    return null;
  }
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Makes the elements of these ids as they are in the newer page. */
export function takeOver(page, ids, mark = false) {
  // Times are said as on this page before they are compared, so that nothing flickers.
  sayTimes(page);
  for (const id of ids) {
    const old = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (old && fresh) morph(old, fresh, mark);
  }
}
