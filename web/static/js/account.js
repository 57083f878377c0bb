// What signing in and the account pages have beyond plain forms: passwords that can be
// shown while they are typed, recovery codes that can be copied and printed.

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => show(button, input, input.type === "password"));
  // A shown password must not be sent as text: browsers would offer it again.
  input.form.addEventListener("submit", () => show(button, input, false));
}

function show(button, input, shown) {
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue; // it is there over https and on localhost only
  button.hidden = false;
  button.addEventListener("click", async () => {
    const codes = document.querySelectorAll(`#${button.dataset.copy} code`);
    const text = [...codes].map((code) => code.textContent).join("\n");
    try {
      await navigator.clipboard.writeText(`${text}\n`);
      say(button, "Copied");
    } catch {
      say(button, "Not copied: select the codes");
    }
  });
}

function say(button, words) {
  button.querySelector("span").textContent = words;
  document.querySelector("[data-said]").textContent = words;
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
