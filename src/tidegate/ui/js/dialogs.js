/* Dialogs. <a data-dialog href="…"> brings the page behind its address into a dialog (its <main data-dialog-body>, or what
   carries data-dialog-body); without script the address is a page of its own. <button data-open="id"> opens one that is
   there. A dialog that was opened gives the focus back to what opened it, as browsers do by themselves. */
async function bring(link) {
  const answer = await fetch(link.href, { headers: { "X-Dialog": "1" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return void (location.href = link.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const body = page.querySelector("[data-dialog-body]");
  if (!body) return void (location.href = link.href);
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", page.title.split(" · ")[0]);
  dialog.append(document.adoptNode(body));
  document.body.append(dialog);
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  globalThis.htmx?.process(dialog);
  dialog.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
  dialog.showModal();
  (dialog.querySelector("[autofocus], [aria-invalid=true]") ?? dialog.querySelector("input:not([type=hidden]), select, button"))?.focus();
}

export function attach(root) {
  for (const link of root.querySelectorAll("a[data-dialog]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      bring(link).catch(() => { location.href = link.href; });
    });
  }
  for (const button of root.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.open)?.showModal());
  }
  for (const button of root.querySelectorAll("dialog [data-close], [data-dialog-body] [data-close]")) {
    button.addEventListener("click", (event) => {
      const dialog = button.closest("dialog");
      if (!dialog) return;
      event.preventDefault();
      dialog.close();
    });
  }
}
