// The right label of an answer that is wrong, saved by the server as a row to train with; and taken back.

import { bdi, make, say } from "./dom.js";
import { Refusal, correct, undo } from "./server.js";

export function correction(model, input, prediction) {
  const status = make("p", { className: "said", role: "status" });
  const save = make("button", { type: "submit" }, "Save as training data");
  const takeBack = make("button", { type: "button", hidden: true }, "Undo");
  const field = fieldOf(model, prediction);
  let saved = null;

  async function act(button, does) {
    button.disabled = true;
    try {
      await does();
    } catch (fault) {
      say(status, fault instanceof Refusal ? fault.message : "It was not saved.", true);
      if (!(fault instanceof Refusal)) throw fault;
    } finally {
      button.disabled = false;
    }
  }

  const form = make("form", {}, field.element, make("div", { className: "row" }, save, takeBack), status);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(save, async () => {
      if (saved !== null) await undo(saved);               // another choice takes the place of the first
      saved = null;
      saved = (await correct({ text: input.text, pair: input.pair, label: field.value(), predicted: field.predicted })).id;
      takeBack.hidden = false;
      status.classList.remove("wrong");
      status.replaceChildren("Saved: ", bdi(field.shown()), ".");
    });
  });
  takeBack.addEventListener("click", () => act(takeBack, async () => {
    await undo(saved);
    saved = null;
    takeBack.hidden = true;
    say(status, "Taken back.");
    save.focus();
  }));
  return make("div", { className: "part" }, make("h3", {}, "Is this wrong?"), form);
}

function fieldOf(model, prediction) {
  if (model.task === "regression") {
    const input = make("input", { id: "right", type: "number", step: "any", required: true, value: String(Math.round(prediction.score * 1e4) / 1e4) });
    return {
      element: make("div", {}, make("label", { for: "right" }, "The right number"), input),
      value: () => input.valueAsNumber, shown: () => input.value, predicted: prediction.score,
    };
  }
  if (model.task === "multi_label") {
    const boxes = model.labels.map((label) => make("input", { type: "checkbox", checked: prediction.labels.includes(label) }));
    const chosen = () => model.labels.filter((_, i) => boxes[i].checked);
    return {
      element: make("fieldset", {}, make("legend", {}, "The right labels"),
        make("div", { className: "columns" }, ...model.labels.map((label, i) => make("label", { className: "check" }, boxes[i], " ", bdi(label))))),
      value: chosen, shown: () => chosen().join(", ") || "no label", predicted: prediction.labels,
    };
  }
  const choice = make("select", { id: "right" }, ...model.labels.map((label, i) => new Option(label, String(i))));
  choice.selectedIndex = model.labels.indexOf(prediction.label);
  const value = () => model.labels[choice.selectedIndex];
  return {
    element: make("div", {}, make("label", { for: "right" }, "The right label"), choice),
    value, shown: value, predicted: prediction.label,
  };
}
