// What every page has: the switch between the dark and the light theme.
import { t } from "./words.js";

const root = document.documentElement;

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  button.hidden = false;
  name(button);
  button.addEventListener("click", () => {
    root.dataset.theme = other();
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // The choice then lasts as long as this page.
    }
    name(button);
  });
}

for (const button of document.querySelectorAll("[data-dismiss]")) {
  button.hidden = false;
  button.addEventListener("click", () => dismiss(button.closest("[data-announcement]")));
}

// Keep which announcements were dismissed for half a year, in a cookie: the next page
// is then drawn without them.
function dismiss(note) {
  const kept = document.cookie.match(/(?:^|; )matinee_dismissed=([^;]*)/)?.[1] ?? "";
  const ids = kept.split(".").filter(Boolean).slice(-20);
  const value = [...ids, note.dataset.announcement].join(".");
  document.cookie = `matinee_dismissed=${value}; path=/; max-age=15552000; samesite=lax`;
  note.remove();
}

// Only where the connection can be trusted do browsers let an app keep its shell.
if ("serviceWorker" in navigator && window.isSecureContext) {
  navigator.serviceWorker.register("/app-worker.js").catch(() => {
    // The pages work as well without.
  });
}

function other() {
  return root.dataset.theme === "light" ? "dark" : "light";
}

function name(button) {
  button.querySelector("span").textContent =
    other() === "light" ? t("Light theme") : t("Dark theme");
}
