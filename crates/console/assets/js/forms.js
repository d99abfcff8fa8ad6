// A form is sent once, however often its button is pressed.

export function start() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // By attribute, because a field may be called "method".
    if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
    if (form.dataset.sent !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "";
    // Not disabled: the value of the button would not be sent then.
    event.submitter?.setAttribute("aria-disabled", "true");
  });
  // Whoever comes back with the browser's button may send again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
    }
  });
  // What was wrong is where one goes on.
  document.querySelector("[aria-invalid=true]")?.focus();
}
