// Calls to our own server: JSON both ways, the form token, errors as sentences.
import { OF_PAGE, t } from "./words.js";

const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || t("The server did not answer."));
    this.name = "Refused";
    this.status = status;
    this.code = problem.code || "";
    this.heading = problem.title || "";
    this.problem = problem;
  }
}

/** Send a request; return what the answer holds, or throw Refused. */
export async function call(method, url, body, options = {}) {
  const response = await fetch(url, {
    method,
    headers: {
      Accept: "application/json",
      "X-CSRFToken": token,
      ...OF_PAGE,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    ...options,
  });
  const answer = await content(response);
  if (!response.ok) {
    throw new Refused(response.status, answer ?? {});
  }
  return answer;
}

async function content(response) {
  if (response.status === 204) {
    return null;
  }
  const kind = response.headers.get("Content-Type") ?? "";
  return kind.includes("json") ? response.json() : null;
}
