// My list and thumbs: shown at once, kept through the API, taken back when that fails.
import { call } from "./api.js";
import { say } from "./toast.js";
import { t } from "./words.js";

document.addEventListener("submit", (event) => {
  const marks = event.target.closest?.("[data-marks]");
  if (marks) {
    event.preventDefault();
    const act = event.submitter.dataset.thumb ? rate : list;
    act(marks.dataset.marks, event.submitter);
  }
});

async function list(slug, button) {
  const on = !pressed(button);
  press(button, on);
  button.value = on ? "0" : "1";
  try {
    await call(on ? "PUT" : "DELETE", `/api/v1/my-list/${slug}`);
    say(on ? t("It is on your list.") : t("It is off your list."), () => list(slug, button));
  } catch (error) {
    press(button, !on);
    button.value = on ? "1" : "0";
    say(error.message);
  }
}

async function rate(slug, button) {
  const thumbs = [...button.form.querySelectorAll("[data-thumb]")];
  const before = thumbs.find(pressed);
  const on = button !== before;
  show(thumbs, on ? button : null);
  try {
    const value = Number(button.dataset.thumb);
    const body = on ? { value } : undefined;
    await call(on ? "PUT" : "DELETE", `/api/v1/thumbs/${slug}`, body);
  } catch (error) {
    show(thumbs, before);
    say(error.message);
  }
}

function show(thumbs, chosen) {
  for (const thumb of thumbs) {
    press(thumb, thumb === chosen);
    thumb.value = thumb === chosen ? "0" : thumb.dataset.thumb;
  }
}

function pressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}
