/* <form data-auto> is sent as soon as something in it is chosen; its button is for who has no script. */
export function attach(root) {
  for (const form of root.querySelectorAll("form[data-auto]")) {
    form.querySelector("button[type=submit]")?.setAttribute("hidden", "");
    form.addEventListener("change", (event) => {
      if (!event.target.matches("[role=combobox]")) form.requestSubmit();
    });
    form.addEventListener("taken", () => form.requestSubmit());
    for (const words of form.querySelectorAll("[role=combobox]")) {
      words.addEventListener("change", () => { if (!words.value.trim()) form.requestSubmit(); });
    }
  }
}
