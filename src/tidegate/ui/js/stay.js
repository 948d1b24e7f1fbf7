/* What carries data-stay is exchanged in place, and the hand stays where it was: on the row at the same place, on what a person
   used in it (the search, the inline Product of the next row), or on what has the same name. */
let left = null;

const named = (one) => one.getAttribute("aria-label") ?? one.textContent;

function place(part) {
  const active = document.activeElement;
  if (!part.contains(active)) return null;
  if (active.matches("[data-search]")) return { search: true, at: active.selectionStart };
  const row = active.closest("[data-row]");
  const rows = [...part.querySelectorAll("[data-row]")];
  return row ? { row: rows.indexOf(row), combo: active.matches("[role=combobox]") } : { name: named(active) };
}

function back(part) {
  if (!left) return;
  const { search, at, row, combo, name } = left;
  left = null;
  if (search) {
    const words = part.querySelector("[data-search]");
    words?.focus();
    words?.setSelectionRange(at, at);
    return;
  }
  if (name !== undefined) {
    [...part.querySelectorAll("a, button, select, input")].find((one) => named(one) === name)?.focus({ preventScroll: true });
    return;
  }
  const rows = [...part.querySelectorAll("[data-row]")];
  const next = rows[Math.min(row, rows.length - 1)];
  if (!next) return;
  next.classList.add("here");
  (next.querySelector(combo ? "[role=combobox]" : "[data-focus], a, button") ?? next).focus({ preventScroll: true });
}

export function attach(root) {
  if (root !== document) return;
  let id = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!part?.matches?.("[data-stay]")) return;
    left = place(part);
    id = part.id;
  });
  document.addEventListener("htmx:afterSettle", () => {
    const part = document.getElementById(id);
    if (part) back(part);
  });
}
