// What chosen files are: a film each, or the episodes that their names tell of. Where
// a name tells of more than a film, a table asks before anything is made.
import { t } from "./words.js";

const place = document.querySelector("[data-guess-place]");

// Return `{file, fields}` for each file, as somebody confirmed them; none, if nobody.
export async function confirmed(files, { token, into, as }) {
  const plain = files.map((file) => ({ file, fields: as ? { as } : {} }));
  if (!files.length || (into && as !== "episode")) return plain;
  const guesses = await guessed(files, { token, into });
  return guesses.ask ? asked(files, guesses.html) : plain;
}

async function guessed(files, { token, into }) {
  const body = new URLSearchParams({ title: into });
  for (const file of files) body.append("filename", file.name);
  const response = await fetch(place.dataset.guessAt, {
    method: "POST",
    headers: { "X-CSRFToken": token, Accept: "application/json" },
    body,
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? t("The server did not answer. Try again."));
  return answer;
}

function asked(files, html) {
  place.innerHTML = html;
  place.querySelector("h2").focus();
  return new Promise((resolve) => {
    place.querySelector("[data-guesses-no]").addEventListener("click", () => {
      place.replaceChildren();
      resolve([]);
    });
    place.querySelector("[data-guesses-yes]").addEventListener("click", () => {
      const rows = [...place.querySelectorAll("[data-guess]")];
      const said = rows.map((row, index) => ({ file: files[index], fields: typed(row) }));
      place.replaceChildren();
      resolve(said);
    });
  });
}

function typed(row) {
  const fields = {};
  for (const control of row.querySelectorAll("[name]")) fields[control.name] = control.value;
  return fields;
}
