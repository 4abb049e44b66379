// Comfort that nothing depends on: without it every page works the same.
"use strict";

// A counter under texts that have a limit.
for (const area of document.querySelectorAll("textarea[data-limit]")) {
  const shown = document.createElement("span");
  shown.className = "counter";
  shown.setAttribute("aria-live", "off");
  const count = () => {
    const left = Number(area.dataset.limit) - [...area.value].length;
    shown.textContent = String(left);
  };
  area.addEventListener("input", count);
  count();
  const bar = area.form && area.form.querySelector("[data-counter]");
  if (bar) bar.append(shown);
}

// Ctrl+Enter sends.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest && event.target.closest("form[data-send]");
  if (form) { event.preventDefault(); form.requestSubmit(); }
});

// A form is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.id === "act") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// An open menu closes when something else is chosen.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
