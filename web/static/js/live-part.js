// Parts of a page that are kept up to date: what has data-live is asked for again.

const EVERY = 2000;
const LATER = 10000;

for (const part of document.querySelectorAll("[data-live]")) keep(part);

async function keep(part) {
  for (let pause = EVERY; ; ) {
    await wait(pause);
    // Nothing is pulled away from under a finger or a keyboard.
    if (document.hidden || part.matches(":focus-within")) continue;
    try {
      const fresh = await ask();
      if (fresh === null) return;
      if (fresh.innerHTML !== part.innerHTML && !part.matches(":focus-within, :active")) {
        part.replaceChildren(...fresh.childNodes);
      }
      pause = EVERY;
    } catch {
      pause = LATER;
    }
  }
}

// Null when nobody is signed in any more, or the page has no such part.
async function ask() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (response.redirected || [401, 403, 404].includes(response.status)) return null;
  if (!response.ok) throw new Error(`status ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.querySelector("[data-live]");
}

function wait(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
