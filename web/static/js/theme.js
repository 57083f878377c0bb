// Runs before the first paint: the theme that was chosen on this device, if any.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") {
      document.documentElement.dataset.theme = theme;
    }
  } catch {
    // A browser that keeps nothing shows the dark theme.
  }
})();
