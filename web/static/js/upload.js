// The upload page: files are chosen or dropped, one card each, one after another.
//
// A card comes from the server with a draft title in it, so that its form can be filled
// in while the film is on its way. Cards of uploads that were interrupted stand on the
// page from the start and wait for their file to be chosen again.
import { watch as watchJob } from "./job-progress.js";
import { autosave } from "./studio-autosave.js";
import { Card } from "./upload-card.js";
import { confirmed } from "./upload-guesses.js";
import { Transfer } from "./upload-transfer.js";

const page = document.querySelector("[data-upload-page]");
const list = page.querySelector("[data-cards]");
const problem = page.querySelector("[data-page-problem]");
const token = document.querySelector("meta[name=csrf-token]").content;
const cards = new Map();

for (const element of list.querySelectorAll("[data-upload]")) adopt(element);

page.querySelector("[data-choose]").addEventListener("change", (event) => {
  take([...event.target.files]);
  event.target.value = "";
});

for (const type of ["dragenter", "dragover"]) {
  page.addEventListener(type, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    page.classList.add("dropping");
  });
}
page.addEventListener("dragleave", (event) => {
  if (!page.contains(event.relatedTarget)) page.classList.remove("dropping");
});
page.addEventListener("drop", (event) => {
  event.preventDefault();
  page.classList.remove("dropping");
  take([...event.dataTransfer.files]);
});

addEventListener("beforeunload", (event) => {
  if ([...cards.values()].some((card) => card.busy)) event.preventDefault();
});
addEventListener("online", () => {
  for (const card of cards.values()) card.backOnline();
});

async function take(files) {
  problem.hidden = true;
  let said;
  try {
    said = await confirmed(files, { token, into: page.dataset.into ?? "", as: chosenAs() });
  } catch (error) {
    complain(error.message);
    return;
  }
  for (const { file, fields } of said) {
    try {
      await add(file, fields);
    } catch (error) {
      complain(`${file.name}: ${error.message}`);
    }
  }
}

// The file of an upload that was interrupted: what it is was said before.
async function again(file) {
  problem.hidden = true;
  try {
    await add(file);
  } catch (error) {
    complain(`${file.name}: ${error.message}`);
  }
}

async function add(file, fields = {}) {
  const transfer = new Transfer(file, {
    endpoint: page.dataset.endpoint,
    chunk: Number(page.dataset.chunk),
    token,
  });
  const remembered = await transfer.remembered();
  const interrupted = waiting(file, remembered);
  if (interrupted) {
    const url = interrupted.element.dataset.url;
    transfer.continueFrom(
      remembered.find((each) => sameUpload(each.uploadUrl, url)) ?? { uploadUrl: absolute(url) },
    );
    interrupted.carry(transfer);
  } else {
    const card = adopt(await draft(file, fields));
    transfer.describe({ title: card.element.dataset.title });
    card.carry(transfer);
    card.element.scrollIntoView({ block: "nearest" });
  }
  next();
}

// The card of an unfinished upload of this very file, which this browser remembers or
// which looks the same from outside: name, size and date.
function waiting(file, remembered) {
  const free = [...cards.values()].filter((card) => card.waitsForFile);
  return (
    free.find((card) =>
      remembered.some((each) => sameUpload(each.uploadUrl, card.element.dataset.url)),
    ) ?? free.find((card) => card.matches(file))
  );
}

async function draft(file, fields) {
  const response = await fetch(page.dataset.drafts, {
    method: "POST",
    headers: { "X-CSRFToken": token, Accept: "application/json" },
    body: new URLSearchParams({
      filename: file.name,
      bytes: file.size,
      title: page.dataset.into ?? "",
      ...fields,
    }),
  });
  if (!response.ok) throw new Error(await sentence(response));
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const element = holder.content.querySelector("[data-upload]");
  list.prepend(element);
  return element;
}

function adopt(element) {
  const card = new Card(element, { token, ended: next });
  cards.set(element, card);
  for (const form of element.querySelectorAll("form[data-autosave]")) autosave(form);
  for (const job of element.querySelectorAll("[data-job]")) watchJob(job);
  element.addEventListener("chosen", (event) => again(event.detail.files[0]));
  element.addEventListener("job", (event) => watchJob(event.detail.element));
  return card;
}

// One film at a time: the first is being encoded while the second arrives.
function next() {
  const all = [...cards.values()];
  if (all.some((card) => card.sending)) return;
  all.findLast((card) => card.inLine)?.go();
}

// What the film is to the title of the page: itself, a trailer, an extra.
function chosenAs() {
  return page.querySelector("[data-as] :checked")?.value ?? "";
}

function sameUpload(one, other) {
  return Boolean(one && other) && absolute(one) === absolute(other);
}

function absolute(url) {
  return new URL(url, document.baseURI).href;
}

async function sentence(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The server answered ${response.status}. Try again.`;
  }
}

function complain(text) {
  problem.querySelector("span").textContent = text;
  problem.hidden = false;
}
