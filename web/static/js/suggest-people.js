// Names of people, offered while somebody types one; without it names are just typed.
const PAUSE_MILLISECONDS = 150;

for (const form of document.querySelectorAll("[data-suggest]")) {
  const offered = document.getElementById("people");
  let timer = null;
  let asked = "";

  form.addEventListener("input", (event) => {
    if (event.target.name !== "name") return;
    clearTimeout(timer);
    timer = setTimeout(() => offer(event.target.value), PAUSE_MILLISECONDS);
  });

  async function offer(words) {
    asked = words;
    const address = `${form.dataset.suggest}?q=${encodeURIComponent(words)}`;
    const response = await fetch(address).catch(() => null);
    // What came late answers words that are no longer there.
    if (!response?.ok || asked !== words) return;
    const people = await response.json();
    offered.replaceChildren(
      ...people.map((each) => {
        const option = document.createElement("option");
        option.value = each.name;
        return option;
      }),
    );
  }
}
