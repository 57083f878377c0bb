// How captions look: chosen with a sample before one's eyes, and on the film at once.
import { USUAL, dress } from "./caption-look.js";

export async function fill(template, film) {
  const content = template.content.cloneNode(true);
  const form = content.querySelector("form");
  const sample = content.querySelector(".sample");
  const show = () => dress(sample, film.preferences.values.caption_style);
  for (const [part, value] of Object.entries(film.preferences.values.caption_style)) {
    form.elements[part].value = value;
  }
  show();
  form.addEventListener("change", () => keep(form, film));
  form.addEventListener("reset", () => setTimeout(() => keep(form, film)));
  film.preferences.addEventListener("change", show);
  return {
    content,
    focus: form.querySelector("input:checked"),
    close: () => film.preferences.removeEventListener("change", show),
  };
}

/** Only what is not as usual is kept. */
function keep(form, film) {
  const chosen = Object.entries(USUAL)
    .map(([part, usual]) => [part, form.elements[part].value || usual])
    .filter(([part, value]) => value !== USUAL[part]);
  film.preferences.keep({ caption_style: Object.fromEntries(chosen) });
}
