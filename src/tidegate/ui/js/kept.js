/* <form data-keep="name"> loses nothing: what was typed (never a password) stays in this tab until the form was taken, so that a
   session that ended meanwhile costs a log-in and no typing. The server says it was taken by a page without the form. */
const fields = (form) => [...form.elements].filter((one) => one.name && !["password", "hidden", "file", "submit", "button"].includes(one.type) && !("secret" in one.dataset));

export function attach(root) {
  for (const form of root.querySelectorAll("form[data-keep]")) {
    const key = `kept:${form.dataset.keep}`;
    if (form.dataset.keepFresh !== "no") {
      for (const [name, kept] of JSON.parse(sessionStorage.getItem(key) ?? "[]")) {
        const found = fields(form).find((one) => one.name === name && (one.type !== "radio" || one.value === kept.value));
        if (found) Object.assign(found, kept);
      }
    }
    form.addEventListener("input", () => {
      sessionStorage.setItem(key, JSON.stringify(fields(form).map((one) => [one.name, one.type === "checkbox" || one.type === "radio" ? { checked: one.checked, value: one.value } : { value: one.value }])));
    });
    form.querySelector("[data-forget]")?.addEventListener("click", () => sessionStorage.removeItem(key));
  }
  if (root === document && !document.querySelector("form[data-keep]")) {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith("kept:") && !document.querySelector("form[action*=login]")) sessionStorage.removeItem(key);
  }
}
