// The form for one text, and the answer below it.

import { bars, verdict, verdictText } from "./answer.js";
import { correction } from "./correction.js";
import { curl } from "./curl.js";
import { byId, make, percent, say } from "./dom.js";
import { influence } from "./influence.js";
import { Refusal, classify, wait } from "./server.js";

const mostTries = 5;

/** Makes the form work. @param remember Takes what was asked and answered; @param refused Takes a refusal that concerns the page. */
export function oneText(model, remember, refused) {
  const [form, text, pair, isPair] = ["text-form", "text", "pair", "is-pair"].map(byId);
  let running = null;

  isPair.checked = model.pairs === true;
  const showPair = () => {
    byId("pair-part").hidden = !isPair.checked;
  };
  isPair.addEventListener("change", showPair);
  showPair();
  for (const area of [text, pair]) {
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = { text: text.value, pair: isPair.checked ? pair.value : null };
    if (input.text.trim() === "") {
      say(byId("says"), "Type or paste a text first.", true);
      text.focus();
      return;
    }
    running?.abort();
    const mine = (running = new AbortController());
    say(byId("says"), "Asking the model …");
    try {
      const [prediction] = await patient(input, mine.signal);
      show(model, input, prediction);
      remember(input, prediction);
    } catch (fault) {
      if (mine.signal.aborted) return;
      if (!(fault instanceof Refusal)) throw fault;
      say(byId("says"), fault.message, true);
      refused(fault);
    }
  });
}

/** Shows what was answered before. */
export function show(model, input, prediction) {
  const score = model.task === "single_label" ? `, ${percent(prediction.score)}` : "";
  say(byId("says"), `Answer: ${verdictText(model, prediction)}${score}.`);
  byId("says").classList.add("unseen");                    // it stands below in full
  const answer = byId("answer");
  answer.replaceChildren(...[
    make("div", { className: "part" }, verdict(model, prediction), bars(model, prediction)),
    influence(model, input, prediction),
    model.corrections ? correction(model, input, prediction) : null,
    curl(input),
  ].filter((part) => part !== null));
  answer.hidden = false;
}

async function patient({ text, pair }, signal) {
  for (let tries = 1; ; tries++) {
    try {
      return await classify([text], pair === null ? null : [pair], signal);
    } catch (fault) {
      if (!(fault instanceof Refusal && fault.isBusy && tries < mostTries)) throw fault;
      say(byId("says"), `The server is busy; trying again in ${fault.seconds} s …`);
      await wait(fault.seconds, signal);
    }
  }
}
