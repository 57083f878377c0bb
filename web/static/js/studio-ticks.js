// The list of titles: one tick for all of the page, how many are ticked, and what to
// do with them.
const all = document.querySelector("[data-tick-all]");
const ticks = [...document.querySelectorAll("[data-tick]")];
const bulk = document.querySelector("[data-bulk]");
const said = document.querySelector("[data-ticked]");

all?.addEventListener("change", () => {
  for (const tick of ticks) tick.checked = all.checked;
  show();
});
for (const tick of ticks) tick.addEventListener("change", show);
show();

function show() {
  const count = ticks.filter((tick) => tick.checked).length;
  if (said) said.textContent = count ? `${count} ✓` : "";
  if (count && bulk) bulk.open = true;
  if (!all) return;
  all.checked = count > 0 && count === ticks.length;
  all.indeterminate = count > 0 && count < ticks.length;
}
