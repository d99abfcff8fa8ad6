// Makes an element like a newer one, and touches nothing that is the same: focus, what was written, what was opened, where
// one has scrolled to and what a screen reader is reading stay as they are.

// What a person changes by using the page; the server's answer knows nothing of it.
const KEPT = new Set(["open", "data-kept"]);

/** `mark` shows for a moment what is new among elements with an id. */
export function morph(from, to, mark = false) {
  if (from.nodeName !== to.nodeName) return from.replaceWith(to);
  attributes(from, to);
  children(from, to, mark);
}

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !KEPT.has(name)) from.setAttribute(name, value);
  }
  // What is shown in a field is what was written, unless nobody is writing and nothing was.
  if (from instanceof HTMLInputElement && document.activeElement !== from && from.value !== to.value && from.defaultValue === from.value) {
    from.value = to.value;
  }
}

function children(from, to, mark) {
  const wantedIds = new Set([...to.children].map((child) => child.id));
  const named = new Map();
  for (const child of [...from.children]) {
    if (!child.id) continue;
    if (wantedIds.has(child.id)) named.set(child.id, child);
    else child.remove();
  }
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const same = wanted.id ? named.get(wanted.id) : undefined;
    if (same) {
      // What stands in the way goes, instead of moving what stays: whatever is moved loses the focus.
      while (at && at !== same && !at.id) at = removed(at);
      if (same === at) at = at.nextSibling;
      else move(from, same, at);
      morph(same, wanted, mark);
    } else if (at && !at.id && !wanted.id && alike(at, wanted)) {
      const next = at.nextSibling;
      if (at.nodeType === Node.ELEMENT_NODE) morph(at, wanted, mark);
      else if (at.nodeValue !== wanted.nodeValue) at.nodeValue = wanted.nodeValue;
      at = next;
    } else {
      const added = document.importNode(wanted, true);
      if (mark && added.id && named.size > 0) added.classList.add("live-new");
      from.insertBefore(added, at);
    }
  }
  while (at) at = removed(at);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

/** Newer browsers can move an element with its focus. */
function move(parent, element, before) {
  if (parent.moveBefore) parent.moveBefore(element, before);
  else parent.insertBefore(element, before);
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName;
}
