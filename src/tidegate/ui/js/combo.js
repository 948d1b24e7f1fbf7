/* A combobox over what the server finds. <div class="combo" data-combo="/address?search="> with an input (role=combobox) for the
   words, a hidden input for the value, and an <ul role=listbox>. The server answers <li role=option data-value=… data-text=…>.
   Arrows move, Enter takes, Escape closes and then leaves; data-submit sends the form once something is taken; an option with data-href leads
   there. Words that are taken out again take the value out with them. */
let number = 0;

export function attach(root) {
  for (const combo of root.querySelectorAll("[data-combo]")) start(combo);
}

function start(combo) {
  const words = combo.querySelector("[role=combobox]");
  const value = combo.querySelector("input[type=hidden]");
  const list = combo.querySelector("[role=listbox]");
  list.id ||= `combo-${(number += 1)}`;
  words.setAttribute("aria-controls", list.id);
  let asked = 0;
  let wait = 0;
  let early = false; // Enter came before the answer to what was typed: the first of that answer is meant, never of an older one

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function point(option) {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) return;
    option.id ||= `${list.id}-${options().indexOf(option)}`;
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    words.setAttribute("aria-activedescendant", option.id);
  }

  function open(is) {
    list.hidden = !is;
    words.setAttribute("aria-expanded", String(is));
    if (!is) words.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    const mine = (asked += 1);
    const answer = await fetch(combo.dataset.combo + encodeURIComponent(words.value.trim()), { credentials: "same-origin" }).catch(() => null);
    if (mine !== asked || !answer?.ok || answer.redirected) return; // line.js says so where there is no connection
    list.innerHTML = await answer.text();
    open(options().length > 0 && document.activeElement === words);
    point(options()[0]);
    if (early && options()[0]) take(options()[0]);
    early = false;
  }

  function take(option) {
    if (option.dataset.href) return void (location.href = option.dataset.href);
    value.name = option.dataset.name ?? value.dataset.name ?? value.name;
    value.value = option.dataset.value;
    words.value = option.dataset.text;
    open(false);
    combo.dispatchEvent(new CustomEvent("taken", { bubbles: true }));
    if ("submit" in combo.dataset) words.form?.requestSubmit();
  }

  words.addEventListener("input", () => {
    value.value = "";
    early = false;
    asked += 1;
    list.replaceChildren();
    open(false);
    clearTimeout(wait);
    wait = setTimeout(ask, 80);
  });
  words.addEventListener("focus", () => { if (!value.value) ask(); });
  addEventListener("online", () => { if (document.activeElement === words && !value.value) ask(); });
  words.addEventListener("blur", () => setTimeout(() => open(false), 150));
  words.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) return void ask();
      point(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter" && !list.hidden && at >= 0) take(all[at]);
    else if (event.key === "Enter" && !value.value && words.value.trim()) early = true;
    else if (event.key === "Escape" && !list.hidden) { open(false); event.stopPropagation(); }
    else if (event.key === "Escape") return void words.blur(); // keys mean the list again
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) { event.preventDefault(); take(option); }
  });
}
