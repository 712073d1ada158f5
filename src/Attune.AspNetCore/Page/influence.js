// The words of a text, coloured by how much they speak for a label or against it. Lines below them say the same without colour.

import { bdi, make } from "./dom.js";
import { Refusal, explain } from "./server.js";

const weak = 0.08;                                         // of the strongest word: below it a word is left plain
const strongestShown = 12;

/** A part of the page that asks the server and shows what it says; the label can be chosen. */
export function influence(model, input, prediction) {
  const shown = make("div");
  const status = make("p", { className: "said", role: "status" });
  const choice = make("select", { id: "influence-label" }, ...model.labels.map((label, i) => new Option(label, String(i))));
  choice.selectedIndex = model.labels.indexOf(prediction.label);
  let running = null;

  async function show() {
    running?.abort();
    const mine = (running = new AbortController());
    status.textContent = "Working out which words count …";
    try {
      const answer = await explain(input.text, input.pair, model.labels[choice.selectedIndex], mine.signal);
      status.textContent = "";
      shown.replaceChildren(...pictures(input, answer));
    } catch (fault) {
      if (mine.signal.aborted) return;
      shown.replaceChildren();
      status.textContent = fault instanceof Refusal ? fault.message : "The words cannot be shown.";
      if (!(fault instanceof Refusal)) throw fault;
    }
  }

  choice.addEventListener("change", show);
  const part = make("div", { className: "part" },
    make("h3", {}, "Which words count"),
    model.task === "regression" ? null : make("div", { className: "row" }, make("label", { for: "influence-label" }, "For the label"), choice),
    status, shown);
  part.ready = show();
  return part;
}

function pictures(input, answer) {
  const most = Math.max(...answer.words.map((word) => Math.abs(word.influence)), Number.MIN_VALUE);
  const text = (whole, isPair) => make("p", { className: "words", dir: "auto" }, ...marked(whole, answer.words.filter((word) => word.pair === isPair), most));
  return [
    text(input.text, false),
    input.pair === null ? null : text(input.pair, true),
    make("p", { className: "hint legend" },
      make("span", {}, make("span", { className: "word for", style: { "--weight": "1", "--thick": "3px" } }, "solid line"), " speaks for it"),
      make("span", {}, make("span", { className: "word against", style: { "--weight": "1", "--thick": "3px" } }, "dotted line"), " speaks against it"),
      make("span", {}, "the stronger, the thicker")),
    table(input, answer),
  ].filter((child) => child !== null);
}

function marked(whole, words, most) {
  const parts = [];
  let at = 0;
  for (const word of words) {
    const weight = Math.abs(word.influence) / most;
    if (word.start < at || weight < weak) continue;
    parts.push(whole.slice(at, word.start), make("span", {
      className: `word ${word.influence > 0 ? "for" : "against"}`,
      style: { "--weight": weight.toFixed(2), "--thick": `${(1 + 3 * weight).toFixed(1)}px` },
    }, whole.slice(word.start, word.start + word.length)));
    at = word.start + word.length;
  }
  parts.push(whole.slice(at));
  return parts;
}

function table(input, answer) {
  const order = [...answer.words].sort((a, b) => Math.abs(b.influence) - Math.abs(a.influence)).slice(0, strongestShown);
  const rows = order.map((word) => make("tr", {},
    make("th", { scope: "row" }, bdi((word.pair ? input.pair : input.text).slice(word.start, word.start + word.length))),
    make("td", {}, word.influence > 0 ? "for" : "against"),
    make("td", { className: "number" }, word.influence.toFixed(3))));
  return make("details", {}, make("summary", {}, "The strongest words as a table"),
    make("table", { className: "bars" },
      make("caption", {}, answer.method === "integrated_gradients" ? "Influence on the label's score, by integrated gradients" : "Influence on the label's score: what is lost without the word"),
      make("thead", {}, make("tr", {}, ...["Word", "Speaks", "Influence"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows)));
}
