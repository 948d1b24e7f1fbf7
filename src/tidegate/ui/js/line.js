/* The line to the server. Without one a sentence says so and what was typed stays: a form that is sent waits in the page, and
   goes by itself once the server answers again; so do searches, and the parts that ask for themselves anew. What may have
   arrived already is never sent twice. */
const LOST = "There is no connection to Tidegate. What you typed stays here, and goes on by itself.";
const EVERY = 2000;
const waiting = new Map(); // form: the button that sent it
let listening = 0;

function tell(lost) {
  const there = document.getElementById("line");
  if (!lost) return void there?.remove();
  if (there) return;
  const note = document.createElement("p");
  Object.assign(note, { id: "line", className: "note warning", textContent: LOST });
  document.getElementById("notes")?.prepend(note);
}

function lost() {
  tell(true);
  listening ||= setTimeout(listen, EVERY);
}

async function listen() {
  clearTimeout(listening);
  listening = 0;
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return lost();
  tell(false);
  for (const [form, button] of [...waiting]) {
    waiting.delete(form);
    if (form.isConnected) form.requestSubmit(button);
  }
}

function sent(event) {
  if (navigator.onLine || event.target.method === "dialog") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  waiting.set(event.target, event.submitter);
  lost();
}

export function attach(root) {
  if (root !== document) return;
  document.addEventListener("submit", sent, { capture: true });
  document.addEventListener("htmx:sendError", (event) => {
    const { elt, requestConfig } = event.detail;
    if (elt.matches("form") && requestConfig.verb === "get") waiting.set(elt, null);
    lost();
  });
  addEventListener("offline", lost);
  addEventListener("online", listen);
}
