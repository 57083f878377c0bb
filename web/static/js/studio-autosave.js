// A form that is kept while it is filled in: half a second after the last change.
const PAUSE = 500;

export function autosave(form) {
  const said = form.querySelector("[data-saved]");
  let timer = null;
  let saving = Promise.resolve();

  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-wish]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      saving = saving.then(save);
    }, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    saving = saving.then(save);
  });

  async function save() {
    clear(form);
    const answer = await send(form.action, new FormData(form));
    said.textContent = answer.problem ?? "Saved";
    if (answer.field) mark(form, answer);
  }
}

// Post a form, or part of one, from a script; problem is a sentence when it failed.
export async function send(url, data) {
  const token = document.querySelector("meta[name=csrf-token]").content;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "X-CSRFToken": token, Accept: "application/json" },
      body: new URLSearchParams(data),
    });
    const body = await response.json();
    return response.ok ? {} : { problem: body.detail, field: body.field };
  } catch {
    return { problem: "Not saved: the server can’t be reached." };
  }
}

function mark(form, { field }) {
  form.elements.namedItem(field)?.setAttribute("aria-invalid", "true");
}

function clear(form) {
  for (const each of form.querySelectorAll("[aria-invalid]")) {
    each.removeAttribute("aria-invalid");
  }
}
