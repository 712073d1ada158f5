// What the model says of one text: the verdict in words, and the probabilities as bars with numbers.

import { bdi, make, percent } from "./dom.js";

const mostBars = 8;

/** The verdict as one sentence without names' markup, for screen readers and the list of earlier texts. */
export function verdictText(model, prediction) {
  if (model.task === "regression") return number(prediction.score);
  if (prediction.abstained) return "not sure";
  if (model.task === "multi_label") return prediction.labels.length === 0 ? "no label" : prediction.labels.join(", ");
  return prediction.label;
}

export function verdict(model, prediction) {
  if (model.task === "regression") return make("p", { className: "verdict" }, "Score: ", make("strong", {}, number(prediction.score)));
  if (model.task === "multi_label" && !prediction.abstained) {
    if (prediction.labels.length === 0) return make("p", { className: "verdict" }, "No label reaches its threshold.");
    return make("p", { className: "verdict" }, ...prediction.labels.flatMap((label, i) => [i === 0 ? "" : ", ", make("strong", {}, bdi(label))]));
  }
  const share = percent(prediction.score);
  if (!prediction.abstained) return make("p", { className: "verdict" }, make("strong", {}, bdi(prediction.label)), ` · ${share}`);
  return make("p", { className: "verdict" }, make("strong", {}, "Not sure"), ": the model abstains. Most probable: ", bdi(prediction.label), `, ${share}`);
}

/** A table with a bar for each label, the most probable first; many labels are shown in part until asked for. */
export function bars(model, prediction) {
  if (model.task === "regression") return null;
  const isChosen = (label) => !prediction.abstained && (model.task === "multi_label" ? prediction.labels.includes(label) : label === prediction.label);
  const order = prediction.probabilities;
  const body = make("tbody");
  const fill = (count) => body.replaceChildren(...order.slice(0, count).map(({ label, score }) => bar(label, score, isChosen(label))));
  fill(mostBars);
  const table = make("table", { className: "bars" }, make("caption", {}, model.task === "multi_label" ? "Probability of each label by itself" : "Probability of each label"), body);
  if (order.length <= mostBars) return table;
  const more = make("button", { type: "button" }, `Show all ${order.length} labels`);
  more.addEventListener("click", () => {
    fill(order.length);
    body.rows[mostBars].tabIndex = -1;
    body.rows[mostBars].focus();
    more.remove();
  });
  return make("div", {}, table, more);
}

function bar(label, score, isChosen) {
  return make("tr", { className: isChosen ? "chosen" : "" },
    make("th", { scope: "row" }, bdi(label), isChosen ? make("span", { className: "unseen" }, " (the answer)") : null, isChosen ? make("span", { "aria-hidden": "true" }, " ✓") : null),
    make("td", { className: "number" }, percent(score)),
    make("td", { "aria-hidden": "true" }, make("div", { className: "track" }, make("div", { className: "fill", style: { "--share": String(score) } }))));
}

const number = (score) => String(Math.round(score * 1e4) / 1e4);
