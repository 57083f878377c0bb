// The address of this film, at this place if wished; copied also where a page that came
// over plain http may not touch the clipboard.
import { t } from "../words.js";
import { clock } from "./acts.js";

export async function fill(template, film) {
  const content = template.content.cloneNode(true);
  const form = content.querySelector("form");
  const { address, at, time } = form.elements;
  const place = Math.floor(film.video.currentTime);
  time.value = clock(place);
  at.checked = place > 0;
  const write = () => {
    const from = at.checked && place > 0 ? `?from=${place}` : "";
    address.value = `${location.origin}/watch/${film.page.title.slug}${from}`;
  };
  write();
  at.addEventListener("change", write);
  address.addEventListener("focus", () => address.select());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    copy(address, form.querySelector("[role=status]"));
  });
  return { content, focus: form.querySelector("[type=submit]") };
}

async function copy(field, said) {
  try {
    await navigator.clipboard.writeText(field.value);
    said.textContent = t("Copied");
  } catch {
    field.focus();
    field.select();
    // The only way there is without a secure address.
    const done = document.execCommand("copy");
    said.textContent = done ? t("Copied") : t("Press Ctrl+C to copy it.");
  }
}
