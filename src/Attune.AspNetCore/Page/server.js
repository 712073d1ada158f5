// All that the page asks of the server. Addresses are relative: the page works behind a proxy that puts a path in front.

let key = "";

/** Keeps the key for the requests that follow; nowhere else is it written. */
export function useKey(given) {
  key = given;
}

export const hasKey = () => key !== "";

/** Why there is no answer, in a sentence for the user. */
export class Refusal extends Error {
  /** @param isTooSlow The answer took longer than the server allows; fewer texts at a time may do. */
  constructor(message, status, seconds = 0, isTooSlow = false) {
    super(message);
    Object.assign(this, { status, seconds, isTooSlow });
  }

  /** The server is not there, or stops. */
  get isGone() {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }

  get isBusy() {
    return this.status === 429 || this.status === 503;
  }

  get wantsKey() {
    return this.status === 401 || this.status === 403;
  }

  /** This text is the reason: another one may be answered. */
  get isOfText() {
    return this.status === 400 || this.status === 413 || this.status === 422;
  }
}

const tasks = { single_label_classification: "single_label", multi_label_classification: "multi_label", regression: "regression" };

/** The model, its labels and what this server offers. */
export async function facts() {
  const [model, page] = await Promise.all([ask("GET", "v1/model"), ask("GET", "v1/page")]);
  return { ...model, ...page, task: tasks[model.problem_type] };
}

/** What the model says of texts, in their order: label and score, of several labels those that count, and the probabilities, the highest first. */
export async function classify(texts, pairs, signal) {
  const answer = await ask("POST", "v1/classify", pairs === null ? { texts } : { texts, pairs }, signal);
  return answer.predictions;
}

/** How much each word of a text speaks for a label. */
export const explain = (text, pair, label, signal) => ask("POST", "v1/explain", { text, pair, label }, signal);

/** Saves the right label of a text as a row to train with. */
export const correct = (correction) => ask("POST", "v1/corrections", correction);

/** Takes a correction back. */
export const undo = (id) => ask("DELETE", `v1/corrections/${encodeURIComponent(id)}`);

/** The address of an endpoint, for other programs. */
export const address = (path) => new URL(path, document.baseURI).href;

/** Waits; ends at once where it is no longer wanted. */
export function wait(seconds, signal) {
  return new Promise((done, failed) => {
    const gaveUp = () => {
      clearTimeout(timer);
      failed(signal.reason);
    };
    if (signal?.aborted) return failed(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", gaveUp);
      done();
    }, seconds * 1000);
    signal?.addEventListener("abort", gaveUp, { once: true });
  });
}

async function ask(method, path, body, signal) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== "") headers.Authorization = `Bearer ${key}`;
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) });
    if (answer.ok) return answer.status === 204 ? null : await answer.json();
  } catch (fault) {
    if (signal?.aborted) throw fault;
    throw new Refusal("The server does not answer. Is it still running?", 0);
  }
  throw await refusal(answer);
}

async function refusal(answer) {
  const seconds = Number(answer.headers.get("Retry-After")) || 0;
  if (answer.status === 401) return new Refusal(key === "" ? "This server wants an API key." : "The server does not know this key.", 401);
  if (answer.status === 429 || answer.status === 503) {
    // A proxy that cannot reach the server says 503 as well, but not as a problem.
    const isOwn = answer.headers.get("Content-Type")?.startsWith("application/problem+json") === true;
    return new Refusal("The server is busy.", answer.status, seconds || 1, answer.status === 503 && isOwn);
  }
  let problem = {};
  try {
    problem = await answer.json();
  } catch {
    // Whoever stands in between answers in HTML.
  }
  const reason = problem?.detail ?? problem?.title;
  return new Refusal(typeof reason === "string" ? reason : `The server refuses it (${answer.status}).`, answer.status, seconds);
}
