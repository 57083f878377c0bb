// Digits for a remote control: keys on the page, as pressing a field of a television
// brings up a keyboard that covers half of it. Keys with digits work as well.
import { t } from "./words.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "⌫"];

for (const field of document.querySelectorAll("input.digits")) {
  field.inputMode = "none";
  const pad = made(field);
  field.closest(".field").append(pad);
  if (field.autofocus) {
    // Before the browser does what the page asked for.
    field.autofocus = false;
    pad.querySelector("button").focus();
  }
}

function made(field) {
  const pad = document.createElement("div");
  pad.className = "keypad";
  pad.setAttribute("role", "group");
  pad.setAttribute("aria-label", field.labels[0]?.textContent ?? "");
  pad.append(...KEYS.map((key) => (key ? button(key, field) : document.createElement("span"))));
  pad.addEventListener("keydown", (event) => {
    if (/^\d$/.test(event.key)) {
      press(field, event.key);
    } else if (event.key === "Backspace") {
      press(field, "⌫");
    } else {
      return;
    }
    // Who has keys with digits ends with OK, which is to send them.
    field.focus();
    event.preventDefault();
  });
  return pad;
}

function button(key, field) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn sec";
  made.textContent = key;
  if (key === "⌫") made.setAttribute("aria-label", t("Delete the last digit"));
  made.addEventListener("click", () => press(field, key));
  return made;
}

function press(field, key) {
  if (key === "⌫") {
    field.value = field.value.slice(0, -1);
  } else if (field.value.length < field.maxLength) {
    field.value += key;
  }
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
