// Where the page begins: it asks the server about its model, with a key where one is wanted, and makes its parts work.

import { bdi, byId, make, many, say } from "./dom.js";
import { oneFile } from "./one-file.js";
import { oneText } from "./one-text.js";
import { Refusal, facts, useKey } from "./server.js";
import { history } from "./history.js";

let isReady = false;

async function begin() {
  byId("trouble").hidden = true;
  try {
    const model = await facts();
    byId("key-form").hidden = true;
    if (!isReady) ready(model);
    isReady = true;
    return true;
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    refused(fault);
    return false;
  }
}

function ready(model) {
  document.title = `${model.name} – Attune`;
  byId("model").replaceChildren(bdi(model.name), ` · ${model.task === "regression" ? "a number for each text" : many(model.labels.length, "label")} · reads ${many(model.max_length, "token")}`);
  byId("label-list").replaceChildren(...model.labels.map((label) => make("li", {}, bdi(label))));
  byId("labels").hidden = model.task === "regression";
  byId("version").textContent = `Attune ${model.version}.`;
  oneText(model, history(model), refused);
  oneFile(model, refused);
}

/** Shows what stands in the way of everything: no server, or a key that is missing or wrong. */
function refused(fault) {
  if (fault.wantsKey) {
    byId("key-form").hidden = false;
    say(byId("key-problem"), byId("key").value === "" ? "" : fault.message, true);
    byId("key").focus();
    return;
  }
  if (isReady && !fault.isGone) return;                    // it stands beside what was asked
  byId("trouble-text").textContent = fault.message;
  byId("trouble").hidden = false;
}

byId("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  useKey(byId("key").value.trim());
  if (await begin()) {
    byId("key").value = "";
    byId("text").focus();
  }
});
byId("trouble-again").addEventListener("click", async () => {
  if (await begin()) byId("text").focus();
});

await begin();
