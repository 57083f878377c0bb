// What every page has: the switch between the dark and the light theme.
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

function other() {
  return root.dataset.theme === "light" ? "dark" : "light";
}

function name(button) {
  button.querySelector("span").textContent =
    other() === "light" ? "Light theme" : "Dark theme";
}
