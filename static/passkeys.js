// Passkeys: asks the browser, and puts its answer into the form. Without it there are the codes.
"use strict";

(() => {
  const buttons = document.querySelectorAll("button[data-passkey]");
  if (!window.PublicKeyCredential || !navigator.credentials) {
    for (const button of buttons) button.hidden = true;
    return;
  }
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (data) => btoa(String.fromCharCode(...new Uint8Array(data))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const decoded = (options) => {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const list of [options.allowCredentials, options.excludeCredentials]) {
      for (const one of list || []) one.id = bytes(one.id);
    }
    const prf = options.extensions && options.extensions.prf;
    if (prf) prf.eval.first = bytes(prf.eval.first);
    return options;
  };

  const encoded = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    const results = credential.getClientExtensionResults();
    const said = {};
    if (results.prf) {
      said.prf = {};
      if ("enabled" in results.prf) said.prf.enabled = results.prf.enabled;
      if (results.prf.results && results.prf.results.first) {
        said.prf.results = { first: text(results.prf.results.first) };
      }
    }
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: said,
    });
  };

  const ask = async (kind) => {
    const answer = await fetch(`/passkeys/ask?for=${kind}`, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const publicKey = decoded(await answer.json());
    return kind === "make" ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey });
  };

  for (const button of buttons) {
    const form = button.form;
    const field = form.querySelector(`input[name="${button.dataset.field || "passkey"}"]`);
    const problem = form.querySelector("[data-passkey-problem]");
    button.addEventListener("click", async () => {
      if (problem) problem.hidden = true;
      const needed = (button.dataset.needs || "").split(" ").filter(Boolean);
      for (const input of form.elements) {
        if (needed.includes(input.name) && !input.reportValidity()) return;
      }
      button.disabled = true;
      try {
        field.value = encoded(await ask(button.dataset.passkey));
        form.noValidate = true; // the passkey stands for what was not typed
        form.requestSubmit();
      } catch {
        if (problem) problem.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
