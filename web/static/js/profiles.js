// What the pages of profiles have beyond plain forms: a child's profile gets an age
// limit, the letters of pictures follow the name, and captions show how they look.

const kids = document.querySelector("input[name=kids]");
const limit = document.querySelector("select[data-kids-age]");
kids?.addEventListener("change", () => {
  if (kids.checked && limit.value === "") {
    limit.value = limit.dataset.kidsAge;
  }
});

const name = document.querySelector(".faces") && document.querySelector("input[name=name]");
name?.addEventListener("input", () => {
  const [first] = name.value.trim().toLocaleUpperCase();
  for (const letter of document.querySelectorAll(".faces .face[data-colour]")) {
    letter.textContent = first ?? "?";
  }
});

const line = document.querySelector(".screen .line");
for (const choice of document.querySelectorAll("select[name^=caption_]")) {
  const part = choice.name.slice("caption_".length);
  choice.addEventListener("change", () => {
    line.dataset[part] = choice.value;
  });
}
