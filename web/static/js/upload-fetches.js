// Films that are fetched from addresses: how far each is, until one of them is over.
import { size } from "./upload-figures.js";

const PAUSE = 2000;
const table = document.querySelector("[data-fetches]");
const rows = new Map(
  [...(table?.querySelectorAll("[data-fetch]") ?? [])]
    .filter((row) => row.querySelector("[data-bar]"))
    .map((row) => [row.dataset.fetch, row]),
);
if (rows.size) setTimeout(look, PAUSE);

async function look() {
  try {
    const response = await fetch(table.dataset.fetches, {
      headers: { Accept: "application/json" },
    });
    if (!response.ok) return;
    const { fetches } = await response.json();
    for (const each of fetches) if (rows.has(each.id)) show(rows.get(each.id), each);
  } catch {
    // The server may be restarting: ask again.
  }
  if (rows.size) setTimeout(look, PAUSE);
}

function show(row, { id, state, received, total }) {
  const figures = row.querySelector("[data-figures]");
  figures.textContent = total ? `${size(received)} / ${size(total)}` : size(received);
  const bar = row.querySelector("[data-bar]");
  if (total) {
    bar.max = total;
    bar.value = received;
  }
  if (state === "waiting" || state === "running") return;
  rows.delete(id);
  row.querySelector(".st").classList.replace("info", state === "done" ? "ok" : "idle");
  const over = row.querySelector("[data-over]");
  over.hidden = false;
}
