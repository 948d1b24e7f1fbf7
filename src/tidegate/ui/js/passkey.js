/* Passkeys: only the browser can ask for one. <button data-passkey="create|get"> does, and puts the answer into the field
   `credential` of its form, which is then sent as any other. What may be asked for stands in the page, or is fetched from
   where data-ask says. */
const BYTES = ["challenge", "id"];

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function textOf(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function read(options) {
  const found = structuredClone(options);
  for (const part of [found, found.user, ...(found.excludeCredentials ?? []), ...(found.allowCredentials ?? [])]) {
    for (const name of BYTES) if (typeof part?.[name] === "string") part[name] = bytesOf(part[name]);
  }
  return found;
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    const value = credential.response[name];
    if (value) response[name] = textOf(value);
  }
  return JSON.stringify({
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    response,
    clientExtensionResults: credential.getClientExtensionResults(),
    ...(credential.authenticatorAttachment ? { authenticatorAttachment: credential.authenticatorAttachment } : {}),
  });
}

async function optionsFor(button) {
  if (!button.dataset.ask) return JSON.parse(document.getElementById("passkey-options").textContent);
  const answer = await fetch(button.dataset.ask, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error("Too many attempts; try again in a minute.");
  return await answer.json();
}

async function answered(button) {
  const options = await optionsFor(button);
  if (button.dataset.passkey === "get") return await navigator.credentials.get({ publicKey: read(options.request_options.publicKey) });
  const wanted = read(options.creation_options.publicKey);
  const alone = Boolean(button.form.elements.passwordless?.checked);
  const selection = (wanted.authenticatorSelection ??= {});
  selection.residentKey = alone ? "required" : "discouraged";
  selection.requireResidentKey = alone;
  if (alone) selection.userVerification = "required";
  return await navigator.credentials.create({ publicKey: wanted });
}

const WHY = {
  InvalidStateError: "This passkey is one of yours already.",
  NotAllowedError: "No passkey was chosen, or it took too long.",
  SecurityError: "Passkeys work under a name only, and through https.",
};

async function use(button) {
  const said = document.querySelector("[data-passkey-said]");
  said.hidden = true;
  button.disabled = true;
  try {
    if (!navigator.credentials || !globalThis.PublicKeyCredential) throw new Error("This browser has no passkeys here: they need https.");
    button.form.elements.credential.value = written(await answered(button));
    button.form.submit();
  } catch (error) {
    said.textContent = WHY[error.name] ?? error.message;
    said.hidden = false;
    button.disabled = false;
  }
}

for (const button of document.querySelectorAll("button[data-passkey]")) button.addEventListener("click", () => use(button));
