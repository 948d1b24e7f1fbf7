/* What carries data-stay is exchanged in place, and the hand stays where it was: on the row at the same place, on what a person
   used in it (the search, the inline Product of the next row), or on what has the same name. Who typed on while the part was
   under way loses no letter: it stays in the same field of the same row. Who went elsewhere meanwhile is left there. */
const FIELDS = "input:not([type=checkbox], [type=radio], [type=hidden]), textarea";
let left = null;
let id = "";

const named = (one) => one.getAttribute("aria-label") ?? one.textContent;
const who = (row) => row.querySelector("[data-focus], a")?.getAttribute("href");

function place(part, sender) {
  const active = document.activeElement;
  if (!part.contains(active)) return null;
  const typing = active.matches(FIELDS) && { value: active.value, at: active.selectionStart, to: active.selectionEnd };
  if (active.matches("[data-search]")) return { search: true, typing };
  const row = active.closest("[data-row]");
  if (!row) return { name: named(active) };
  const combo = active.matches("[role=combobox]");
  const sent = sender?.contains(active); // what was typed there is what was sent: the hand goes on to the next row
  return { row: [...part.querySelectorAll("[data-row]")].indexOf(row), combo, who: who(row), typing: combo && !sent && typing };
}

function type(field, { value, at, to }) {
  field.focus({ preventScroll: true });
  const more = field.value !== value;
  field.value = value;
  field.setSelectionRange(at, to);
  return more;
}

/* Focuses at once, so that the next letter finds its field. What has to be told to behaviours, which attach a moment later,
   is returned. */
function back(part) {
  const { search, typing, row, combo, name } = left;
  if (document.activeElement && document.activeElement !== document.body) return null;
  const words = part.querySelector("[data-search]");
  if (search) return words && type(words, typing) ? () => words.form.requestSubmit() : null; // HTMX takes what stands there for asked
  if (name !== undefined) {
    [...part.querySelectorAll("a, button, select, input")].find((one) => named(one) === name)?.focus({ preventScroll: true });
    return null;
  }
  const rows = [...part.querySelectorAll("[data-row]")];
  const same = typing && rows.find((one) => who(one) === left.who)?.querySelector("[role=combobox]");
  if (typing && !same) return void words?.focus({ preventScroll: true }); // never into another row
  if (same) return type(same, typing) ? () => same.dispatchEvent(new Event("input", { bubbles: true })) : null;
  const next = rows[Math.min(row, rows.length - 1)];
  if (!next) return null;
  next.classList.add("here");
  const target = next.querySelector(combo ? "[role=combobox]" : "[data-focus], a, button") ?? next;
  target.focus({ preventScroll: true });
  return combo ? () => target.dispatchEvent(new FocusEvent("focus")) : null;
}

export function attach(root) {
  if (root !== document) return;
  let then = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    if (!part?.matches?.("[data-stay]")) return;
    left = place(part, event.detail.requestConfig?.elt);
    id = part.id;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const part = document.getElementById(id);
    if (left && part) then = back(part);
    left = null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    then?.();
    then = null;
  });
}
