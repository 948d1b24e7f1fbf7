/* Rows that are picked. <table data-picks="form id"> with <input type=checkbox name=ids> in its rows: the bar of
   [data-bulk] appears, counts, and can pick the page; [data-all] picks all that match, which the server knows by filter. */
export function attach(root) {
  for (const table of root.querySelectorAll("[data-picks]")) {
    const bar = document.querySelector(`[data-bulk="${CSS.escape(table.dataset.picks)}"]`);
    if (!bar) continue;
    const boxes = () => [...table.querySelectorAll("tbody input[type=checkbox]")];
    const page = table.querySelector("thead input[type=checkbox]");
    const all = bar.querySelector("[data-all]");
    let last = null;

    function told() {
      const picked = boxes().filter((box) => box.checked).length;
      if (all && picked < boxes().length) all.checked = false;
      bar.hidden = !picked;
      const count = bar.querySelector("[data-count]");
      if (count) count.textContent = all?.checked ? count.dataset.every : `${picked} selected`;
      const offer = all?.closest("label");
      if (offer) offer.hidden = picked < boxes().length;
      if (page) {
        page.checked = picked > 0 && picked === boxes().length;
        page.indeterminate = picked > 0 && !page.checked;
      }
    }

    table.addEventListener("click", (event) => {
      const box = event.target.closest("tbody input[type=checkbox]");
      if (!box) return;
      if (event.shiftKey && last) {
        const every = boxes();
        const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b);
        for (const one of every.slice(from, to + 1)) one.checked = box.checked;
      }
      last = box;
      told();
    });
    page?.addEventListener("change", () => {
      for (const box of boxes()) box.checked = page.checked;
      told();
    });
    all?.addEventListener("change", told);
    bar.querySelector("[data-none]")?.addEventListener("click", () => {
      for (const box of boxes()) box.checked = false;
      told();
    });
    told();
  }
}
