// Search as you type: a combobox (ARIA 1.2) over what the API finds. Without it the
// field is a form that leads to the page of the search.
import { call } from "./api.js";
import { t, tn } from "./words.js";

const PAUSE_MILLISECONDS = 150;
const TITLES = 6;

if (document.documentElement.dataset.mode !== "tv") {
  document.querySelectorAll("form[role=search] input[type=search]").forEach(attach);
}

function attach(field) {
  const form = field.form;
  const box = make("div", { className: "found", hidden: true });
  const remark = make("p", { className: "remark" });
  const list = make("div", { id: `${field.id}-found` });
  const status = make("p", { className: "vh" });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", t("Suggestions"));
  status.setAttribute("role", "status");
  for (const [name, value] of [
    ["role", "combobox"],
    ["aria-autocomplete", "list"],
    ["aria-expanded", "false"],
    ["aria-controls", list.id],
  ]) {
    field.setAttribute(name, value);
  }
  box.append(remark, list);
  form.append(box, status);

  let timer = 0;
  let asked = null;
  let at = -1;

  field.addEventListener("input", () => {
    clearTimeout(timer);
    asked?.abort();
    const words = field.value.trim();
    if (!words) {
      close();
      return;
    }
    timer = setTimeout(ask, PAUSE_MILLISECONDS, words);
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !box.hidden) {
      event.preventDefault();
      move(step);
    } else if (event.key === "Enter" && at >= 0 && !box.hidden) {
      event.preventDefault();
      options()[at].click();
    } else if (event.key === "Escape" && !box.hidden) {
      event.preventDefault();
      close();
    }
  });
  field.addEventListener("focus", () => {
    if (list.childElementCount && field.value.trim()) {
      open();
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) {
      close();
    }
  });
  // A press on a suggestion must not take the focus from the field first.
  box.addEventListener("pointerdown", (event) => event.preventDefault());

  async function ask(words) {
    asked = new AbortController();
    try {
      const query = new URLSearchParams({ q: words, limit: TITLES });
      show(await call("GET", `/api/v1/search?${query}`, undefined, { signal: asked.signal }));
    } catch (error) {
      if (error.name !== "AbortError") {
        close();
      }
    }
  }

  function show(found) {
    at = -1;
    field.removeAttribute("aria-activedescendant");
    list.replaceChildren(...drawn(found, form.action));
    remark.textContent = remarked(found);
    remark.hidden = !remark.textContent;
    options().forEach((option, place) => {
      option.id = `${list.id}-${place}`;
    });
    status.textContent = counted(found);
    open();
  }

  function move(step) {
    const all = options();
    all[at]?.setAttribute("aria-selected", "false");
    at = (at + step + all.length + (at < 0 && step < 0 ? 1 : 0)) % all.length;
    all[at].setAttribute("aria-selected", "true");
    all[at].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", all[at].id);
  }

  function options() {
    return [...list.querySelectorAll("[role=option]")];
  }

  function open() {
    box.hidden = false;
    field.setAttribute("aria-expanded", "true");
  }

  function close() {
    box.hidden = true;
    at = -1;
    status.textContent = "";
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }
}

function counted(found) {
  const count = found.count ? tn("{n} suggestion", "{n} suggestions", found.count) : "";
  return [remarked(found), count].filter(Boolean).join(" ");
}

function remarked(found) {
  if (!found.count) {
    return t("Nothing found for “{words}”", { words: found.words });
  }
  return found.guess ? t("Did you mean “{guess}”?", { guess: found.guess }) : "";
}

function drawn(found, page) {
  const all = `${page}?${new URLSearchParams({ q: found.words })}`;
  const parts = [];
  parts.push(...found.titles.map((each) => option(each.href, each.name, each.label, each.backdrop)));
  parts.push(...found.people.map((each) => option(each.href, each.name, t("Person"), each.portrait)));
  parts.push(...found.places.map((each) => option(each.href, each.name, kind(each.kind), "")));
  parts.push(
    ...found.lines.map((each) => option(each.href, `“${each.text}”`, `${each.title} · ${each.clock}`, "")),
  );
  if (!found.count) {
    parts.push(option("/browse", t("Browse the library"), "", ""));
  } else {
    parts.push(option(all, t("All results for “{words}”", { words: found.words }), "", ""));
  }
  return parts;
}

function kind(name) {
  return { genre: t("Genre"), tag: t("Subject"), collection: t("Collection") }[name];
}

function option(href, words, under, picture) {
  const link = make("a", { href, tabIndex: -1 });
  link.setAttribute("role", "option");
  link.setAttribute("aria-selected", "false");
  if (picture) {
    link.append(make("img", { src: picture, alt: "", width: 64, height: 36 }));
  }
  link.append(make("span", { className: "name", textContent: words }));
  if (under) {
    link.append(make("span", { className: "sub", textContent: under }));
  }
  return link;
}

function make(name, values) {
  return Object.assign(document.createElement(name), values);
}
