// Jobs on a page, kept up to date: every element with data-job asks for its report.
import { time } from "./upload-figures.js";

const RUNNING = 2000;
const QUEUED = 5000;
const LATER = 10000;
const watched = new WeakSet();

for (const element of document.querySelectorAll("[data-job]")) watch(element);

export async function watch(element) {
  if (watched.has(element)) return;
  watched.add(element);
  while (element.isConnected && element.dataset.job) {
    await wait(element.dataset.state === "queued" ? QUEUED : RUNNING);
    if (document.hidden) await shown();
    let report;
    try {
      report = await ask(element.dataset.job);
    } catch {
      put(element, "[data-summary]", "No connection to the server, trying again");
      await wait(LATER);
      continue;
    }
    if (report === null) break;
    show(element, report);
    if (!["queued", "running"].includes(report.state)) break;
  }
}

// Null when there is no such job any more, or nobody is signed in.
async function ask(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if ([401, 403, 404].includes(response.status)) return null;
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

function show(element, report) {
  if (element.dataset.state !== report.state) {
    element.dataset.state = report.state;
    element.dispatchEvent(
      new CustomEvent("jobstate", { bubbles: true, detail: { state: report.state } }),
    );
  }
  bar(element.querySelector(":scope > progress, :scope > td > progress"), report.percent);
  badge(element, element.querySelector("[data-badge]"), report.state);
  // Where there is room for it, a failure is told in full below.
  const told = report.state === "failed" && element.querySelector("[data-failure]");
  put(element, "[data-summary]", told ? "" : summary(report));
  table(element, "renditions", report.renditions);
  table(element, "steps", report.steps);
  fallbacks(element, report.steps);
  if (report.state === "failed") failure(element, report);
  for (const part of element.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split(" ").includes(report.state);
  }
}

function summary(report) {
  if (report.paused) return `Paused at ${Math.round(report.percent)} %`;
  switch (report.state) {
    case "queued":
      return (report.queue_position ?? 1) === 1
        ? "Next in line"
        : `Place ${report.queue_position} in the queue`;
    case "running":
      return [`${Math.round(report.percent)} %`, report.eta_seconds !== null && `${time(report.eta_seconds)} left`]
        .filter(Boolean)
        .join(" · ");
    case "failed":
      return report.error_message;
    case "cancelled":
      return "The job was cancelled";
    default:
      return "The film is ready";
  }
}

function table(element, name, steps) {
  const place = element.querySelector(`[data-steps=${name}]`);
  if (!place) return;
  place.hidden = steps.length === 0;
  const rows = new Map([...place.tBodies[0].rows].map((row) => [row.dataset.row, row]));
  for (const step of steps) {
    const row = rows.get(step.name) ?? added(element, place, step);
    badge(element, row.querySelector("[data-badge]"), step.state);
    bar(row.querySelector("progress"), step.percent);
    put(row, "[data-figure=percent]", `${Math.round(step.percent)} %`);
    put(row, "[data-figure=fps]", step.fps ? String(Math.round(step.fps)) : "–");
    put(row, "[data-figure=left]", left(step));
    put(row, "[data-machines]", machines(step.shares ?? []));
  }
}

// Which machines did a step, with how many of its units where there are several.
function machines(shares) {
  return shares
    .map(({ node, done, running }) =>
      shares.length > 1 || done + running > 1 ? `${node} (${done + running})` : node,
    )
    .join(", ");
}

// Why something is not encoded by what was meant to.
function fallbacks(element, steps) {
  const place = element.querySelector("[data-fallbacks]");
  const told = steps.map((step) => step.fallback).filter(Boolean);
  if (!place || [...place.querySelectorAll("span")].map((each) => each.textContent).join() === told.join()) return;
  const template = place.querySelector("template");
  const notes = told.map((sentence) => {
    const note = template.content.querySelector("p").cloneNode(true);
    note.querySelector("span").textContent = sentence;
    return note;
  });
  place.replaceChildren(...notes, template);
  place.hidden = told.length === 0;
}

// The plan grows when the source has been looked at: a row for what is new in it.
function added(element, place, step) {
  const row = element.querySelector("[data-row-template]").content.querySelector("tr").cloneNode(true);
  const label = step.label ?? step.name;
  row.dataset.row = step.name;
  put(row, "[data-label]", label);
  row.querySelector("progress").setAttribute("aria-label", label);
  place.tBodies[0].append(row);
  return row;
}

function failure(element, report) {
  const box = element.querySelector("[data-failure]");
  if (!box) return;
  box.hidden = false;
  put(box, "[data-error]", report.error_message);
  put(box, "[data-log]", report.log_tail);
  box.querySelector("[data-log-box]").hidden = !report.log_tail;
}

function badge(element, old, state) {
  if (!old || old.dataset.badge === state) return;
  const badges = (element.querySelector("[data-badges]") ?? document.querySelector("[data-badges]"))?.content;
  const fresh = badges?.querySelector(`[data-for=${state}] > [data-badge]`)?.cloneNode(true);
  if (fresh) old.replaceWith(fresh);
}

function left(step) {
  return step.state === "running" && step.eta_seconds !== null ? time(step.eta_seconds) : "–";
}

function bar(element, percent) {
  if (!element) return;
  element.value = percent;
  element.textContent = `${Math.round(percent)} %`;
}

function put(element, selector, text) {
  const place = element.querySelector(selector);
  if (place && place.textContent !== text) place.textContent = text;
}

function wait(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function shown() {
  return new Promise((resolve) =>
    document.addEventListener("visibilitychange", resolve, { once: true }),
  );
}
