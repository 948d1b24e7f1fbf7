/* Keys on lists: j and k move, x selects, X the page and pressed again all that match, Enter opens, a letter presses what
   carries it as data-key (once rows are selected, what is done with these), / searches and the arrow down
   leads from there into the list, f finds anything, ? lists them. Never while somebody types, and never together with Ctrl, Alt or Meta. */
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

function rows() {
  return [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
}

function here() {
  return document.querySelector("[data-row].here");
}

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(here());
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
  here()?.classList.remove("here");
  next.classList.add("here");
  const target = next.querySelector("[data-focus], a, button") ?? next;
  target.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function every() {
  const near = here()?.closest("[data-picks]") ?? document.querySelector("[data-picks]");
  const page = near?.querySelector("thead input[type=checkbox]");
  const all = near && document.querySelector(`[data-bulk="${CSS.escape(near.dataset.picks)}"] label:not([hidden]) [data-all]`);
  (page?.checked && all ? all : page)?.click();
}

function press(key) {
  const inside = document.querySelector(`[data-bulk]:not([hidden]) [data-key="${CSS.escape(key)}"]`) ?? here()?.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const target = inside ?? [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((one) => !one.closest("[data-row]") && one.offsetParent !== null);
  if (!target) return false;
  if (target.matches("input, select")) target.focus();
  else target.click();
  return true;
}

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (event.key === "ArrowDown" && event.target.matches?.("[data-search]")) {
    here()?.classList.remove("here");
    event.preventDefault();
    return move(1);
  }
  if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]:not([data-keys])")) return;
  const find = document.querySelector("[data-find]");
  const search = document.querySelector("[data-search]") ?? find;
  const done = {
    j: () => move(1),
    k: () => move(-1),
    x: () => here()?.querySelector("input[type=checkbox]")?.click(),
    X: every,
    f: () => { find?.focus(); find?.select(); },
    "/": () => { search?.focus(); search?.select(); },
    "?": () => document.querySelector("dialog[data-keys]")?.showModal(),
  }[event.key];
  if (done) done();
  else if (event.key.length !== 1 || !press(event.key)) return;
  event.preventDefault();
}

export function attach(root) {
  if (root === document) document.addEventListener("keydown", pressed);
  for (const row of root.querySelectorAll("[data-row]")) {
    row.addEventListener("focusin", () => {
      if (row.classList.contains("here")) return;
      here()?.classList.remove("here");
      row.classList.add("here");
    });
  }
}
