// The episodes of the series, drawn by the server; choosing one needs no other page.
import { Refused } from "../api.js";

export async function fill(_template, film) {
  const response = await fetch(`/watch/${film.page.title.slug}/episodes`);
  if (!response.ok) {
    throw new Refused(response.status, {});
  }
  const drawn = new DOMParser().parseFromString(await response.text(), "text/html");
  const content = document.createDocumentFragment();
  content.append(...drawn.body.children);
  for (const link of content.querySelectorAll("[data-episode]")) {
    link.addEventListener("click", (event) => choose(event, link, film));
  }
  const current = content.querySelector("[aria-current]");
  return { content, focus: current, ready: () => current?.scrollIntoView({ block: "center" }) };
}

function choose(event, link, film) {
  // A new tab is the browser's business.
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) {
    return;
  }
  event.preventDefault();
  if (link.ariaCurrent) {
    film.closePanel();
  } else {
    film.turn(link.dataset.episode);
  }
}
