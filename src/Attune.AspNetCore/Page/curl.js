// The request that was just made, for a terminal.

import { copy, make, say } from "./dom.js";
import { address, hasKey } from "./server.js";

export function curl(input) {
  const command = commandOf(input);
  const status = make("span", { className: "hint", role: "status" });
  const button = make("button", { type: "button" }, "Copy");
  const shown = make("pre", { tabIndex: 0, role: "group", "aria-label": "The request as a command" }, make("code", {}, command));
  button.addEventListener("click", async () => {
    if (await copy(command)) return say(status, "Copied.");
    getSelection().selectAllChildren(shown);
    say(status, "The browser does not let this page copy: it is marked, press Ctrl + C.");
  });
  return make("details", { className: "part" }, make("summary", {}, "The same by curl"), shown, make("div", { className: "row" }, button, status));
}

function commandOf({ text, pair }) {
  const body = JSON.stringify(pair === null ? { texts: [text] } : { texts: [text], pairs: [pair] });
  const key = hasKey() ? ' -H "Authorization: Bearer $ATTUNE_API_KEY"' : "";
  return `curl ${quoted(address("v1/classify"))} -H 'Content-Type: application/json'${key} -d ${quoted(body)}`;
}

/** For a POSIX shell: nothing in single quotes means anything. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
