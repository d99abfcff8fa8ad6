// Dialogs, and menus that close when one is done with them.

/** What was filled in in the dialog whose form was sent last. */
const SENT = "portreeve.sent";

export function start() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog instanceof HTMLDialogElement) {
        event.preventDefault();
        opener.closest("details.menu")?.removeAttribute("open");
        dialog.showModal();
      }
      return;
    }
    const closer = event.target.closest?.("dialog [data-close]");
    if (closer) {
      event.preventDefault();
      closer.closest("dialog").close();
      return;
    }
    // A click beside the dialog is one on the dialog itself, outside of its box.
    if (event.target instanceof HTMLDialogElement && !within(event, event.target.getBoundingClientRect())) event.target.close();
  });

  // A dialog whose address the page was opened with.
  const named = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (named instanceof HTMLDialogElement) named.showModal();

  document.addEventListener("submit", (event) => {
    const dialog = event.target.closest("dialog[id]");
    if (dialog && !event.defaultPrevented) remember(dialog.id, event.target);
  });
  reopen();

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A row leads where its first link leads; whatever else is in it keeps its meaning, and so does marking text.
  document.addEventListener("click", (event) => {
    const row = event.target.closest?.("tr[data-href]");
    if (!row || event.defaultPrevented || event.target.closest("a, button, summary, input, label, form")) return;
    if (String(getSelection()) !== "") return;
    if (event.ctrlKey || event.metaKey) open(row.dataset.href, "_blank", "noopener");
    else location.assign(row.dataset.href);
  });
}

/** The fields that one fills in, but no secrets. */
const filled = (form) => [...form.elements].filter((field) => field.matches("textarea, select, input:not([type=hidden], [type=password])"));

const isChosen = (field) => field.matches("[type=checkbox], [type=radio]");

function remember(id, form) {
  const fields = filled(form).map((field) => (isChosen(field) ? field.checked : field.value));
  try { sessionStorage.setItem(SENT, JSON.stringify({ id, fields })); } catch { /* Then it is filled in again by hand. */ }
}

/** A form that is refused comes back with its page. What was wrong, and what was written, is in the dialog again then. */
function reopen() {
  let sent = null;
  try {
    sent = JSON.parse(sessionStorage.getItem(SENT));
    sessionStorage.removeItem(SENT);
  } catch { /* Nothing was kept. */ }
  const [page] = performance.getEntriesByType("navigation");
  const dialog = document.getElementById(sent?.id ?? "");
  if (page?.responseStatus !== 422 || !(dialog instanceof HTMLDialogElement)) return;
  filled(dialog.querySelector("form")).forEach((field, index) => {
    if (isChosen(field)) field.checked = sent.fields[index];
    else field.value = sent.fields[index];
  });
  const said = document.querySelector("main .alert.bad");
  if (said) dialog.querySelector(".field, .dialog-actions").before(said);
  dialog.showModal();
}

function within(event, box) {
  return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
}
