// What was classified since the page was opened; in memory only.

import { verdictText } from "./answer.js";
import { bdi, byId, make } from "./dom.js";
import { show } from "./one-text.js";

const most = 50;

/** Gives what adds an answer to the list. */
export function history(model) {
  const list = byId("history-list");

  function update() {
    byId("history-empty").hidden = list.children.length > 0;
    byId("history-clear").hidden = list.children.length === 0;
  }

  byId("history-clear").addEventListener("click", () => {
    list.replaceChildren();
    update();
    byId("history-title").focus();
  });

  return (input, prediction) => {
    const again = make("button", { type: "button" }, bdi(input.pair === null ? input.text : `${input.text} | ${input.pair}`));
    again.addEventListener("click", () => {
      byId("text").value = input.text;
      byId("is-pair").checked = input.pair !== null;
      byId("is-pair").dispatchEvent(new Event("change"));
      byId("pair").value = input.pair ?? "";
      show(model, input, prediction);
      byId("try-title").focus();
    });
    list.prepend(make("li", { className: "history-row" }, make("span", { className: "said-label" }, bdi(verdictText(model, prediction))), again));
    if (list.children.length > most) list.lastChild.remove();
    update();
  };
}
