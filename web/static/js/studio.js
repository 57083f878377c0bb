// What every page of the Studio has: times as this reader's clock shows them, and a
// warning before typed text is lost.
const written = new Intl.DateTimeFormat(document.documentElement.lang, {
  dateStyle: "medium",
  timeStyle: "short",
});

for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = time.textContent;
  time.textContent = written.format(new Date(time.dateTime));
}

for (const form of document.querySelectorAll("form[data-guarded]")) {
  let changed = false;
  form.addEventListener("input", () => {
    changed = true;
  });
  form.addEventListener("submit", () => {
    changed = false;
  });
  addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}

// Whoever chooses something of their own does not want what comes by itself.
for (const tick of document.querySelectorAll("[data-unticked-by]")) {
  document.getElementById(tick.dataset.untickedBy)?.addEventListener("input", () => {
    tick.checked = false;
  });
}

// Where the row of places scrolls, start where this page is.
document
  .querySelector(".places [aria-current]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });
