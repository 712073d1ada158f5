// A file in three steps: choose it, choose its column, download it labelled.

import { about, bdi, byId, make, many, say, whole } from "./dom.js";
import { Labelling } from "./labelling.js";
import { Refusal } from "./server.js";
import { BadFile, guessTexts, scan } from "./sheet.js";

const fewLabels = 20;                                      // up to which each gets a column unless told otherwise
const shownRows = 3;

export function oneFile(model, refused) {
  const [input, drop, columnsStep, resultStep, status, outcome] = ["csv", "drop", "columns-step", "result-step", "file-says", "result-says"].map(byId);
  let running = null;

  async function choose(file) {
    running?.abort();
    const mine = (running = new AbortController());
    columnsStep.hidden = resultStep.hidden = true;
    say(outcome, "");
    say(status, `Reading ${file.name} …`);
    try {
      const sheet = await scan(file, mine.signal);
      say(status, `${file.name}: ${many(sheet.rows, "row")}, ${many(sheet.names.length, "column")}.${leftOut(sheet)}`);
      columnsStep.replaceChildren(columns(sheet));
      columnsStep.hidden = false;
    } catch (fault) {
      if (mine.signal.aborted) return;
      if (!(fault instanceof BadFile)) throw fault;
      say(status, fault.message, true);
    }
  }

  function columns(sheet) {
    const guess = guessTexts(sheet, model.text_columns, model.label_columns);
    const names = sheet.names.map((name, i) => new Option(name, String(i)));
    const text = make("select", { id: "text-column" }, ...names);
    const pair = make("select", { id: "pair-column" }, new Option("none", "-1"), ...names.map((option) => option.cloneNode(true)));
    [text.value, pair.value] = [String(guess[0]), String(guess[1] ?? -1)];
    const isGuarded = make("input", { type: "checkbox", id: "guarded", checked: true });
    const isFull = make("input", { type: "checkbox", id: "full", checked: model.labels.length <= fewLabels });
    const preview = make("div", { className: "sheet", tabIndex: 0, role: "group", "aria-label": "The first rows of the file" });
    const fill = () => preview.replaceChildren(table(sheet, [Number(text.value), Number(pair.value)]));
    text.addEventListener("change", fill);
    pair.addEventListener("change", fill);
    fill();
    const form = make("form", {},
      make("div", { className: "row" },
        make("div", {}, make("label", { for: "text-column" }, "Column with the texts"), text),
        make("div", {}, make("label", { for: "pair-column" }, "Column with second texts"), pair)),
      preview,
      model.task === "regression" ? null : make("label", { className: "check" }, isFull, " A column with the probability of each label"),
      make("label", { className: "check" }, isGuarded, " Safe for spreadsheets: put an apostrophe before cells that begin with =, +, - or @ and are no numbers"),
      make("div", { className: "row" }, make("button", { type: "submit", className: "main" }, `Label ${many(sheet.rows - sheet.badRows, "row")}`)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      label(sheet, { textColumn: Number(text.value), pairColumn: Number(pair.value), isGuarded: isGuarded.checked, isFull: isFull.checked });
    });
    return form;
  }

  async function label(sheet, how) {
    running?.abort();
    const mine = (running = new AbortController());
    const total = sheet.rows - sheet.badRows;
    const shown = progress(total, () => mine.abort());
    resultStep.replaceChildren(shown.element);
    resultStep.hidden = false;
    shown.stop.focus();
    say(outcome, `Labelling ${many(total, "row")} …`);
    const job = new Labelling(sheet, how, model, shown.tell);
    let trouble = null;
    try {
      await job.run(mine.signal);
    } catch (fault) {
      if (!(fault instanceof Refusal || fault instanceof BadFile)) throw fault;
      trouble = fault;
      mine.abort();                                        // what is still on its way
    }
    if (running !== mine) return;                          // another file was chosen
    running = null;
    finish(sheet, job, trouble, total);
  }

  function finish(sheet, job, trouble, total) {
    const isWhole = trouble === null && !job.isStopped;
    say(outcome, (isWhole ? `Done: ${many(job.done, "row")} labelled.` : `${trouble?.message ?? "Stopped."} ${whole(job.done)} of ${many(total, "row")} are labelled.`) + remarks(job), !isWhole);
    if (trouble instanceof Refusal) refused(trouble);
    if (job.done === 0) {
      resultStep.hidden = true;
      return;
    }
    const link = make("a", { className: "button main", href: URL.createObjectURL(job.result()), download: labelledName(sheet.file.name) },
      isWhole ? "Download the labelled file" : `Download the first ${many(job.done, "row")}`);
    const wasHere = resultStep.contains(document.activeElement);
    resultStep.replaceChildren(make("div", { className: "row" }, link));
    if (wasHere) link.focus();                             // not away from who types elsewhere meanwhile
  }

  input.addEventListener("click", () => {
    input.value = "";                                      // the same file may be chosen again, when it was mended
  });
  input.addEventListener("change", () => {
    if (input.files.length > 0) choose(input.files[0]);
  });
  // A file that misses the field by a little must not take the page away.
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind !== "drop" || event.dataTransfer.files.length === 0) return;
      input.files = event.dataTransfer.files;
      choose(event.dataTransfer.files[0]);
    });
  }
  addEventListener("beforeunload", (event) => {
    if (running !== null && !resultStep.hidden) event.preventDefault();
  });
}

function table(sheet, taken) {
  const mark = (i) => (taken.includes(i) ? "taken" : "");
  return make("table", {},
    make("thead", {}, make("tr", {}, ...sheet.names.map((name, i) => make("th", { scope: "col", className: mark(i) }, bdi(name), taken.includes(i) ? " (text)" : "")))),
    make("tbody", {}, ...sheet.samples.slice(0, shownRows).map((cells) =>
      make("tr", {}, ...cells.map((cell, i) => make("td", { className: mark(i), dir: "auto" }, make("div", { className: "clip" }, cell.slice(0, 500))))))));
}

function progress(total, onStop) {
  const bar = make("progress", { id: "progress", max: total, value: 0 });
  const line = make("p", { className: "hint" });
  const stop = make("button", { type: "button" }, "Stop");
  stop.addEventListener("click", onStop);
  const started = performance.now();
  const tell = (done, why) => {
    bar.value = done;
    const seconds = ((performance.now() - started) / 1000 / done) * (total - done);
    line.textContent = why ?? `${whole(done)} of ${whole(total)} rows` + (done > 0 && done < total ? `, about ${about(seconds)} left` : "");
  };
  tell(0, null);
  return { element: make("div", {}, make("label", { for: "progress" }, "Progress"), bar, line, make("div", { className: "row" }, stop)), stop, tell };
}

function leftOut({ badRows, bad }) {
  if (badRows === 0) return "";
  return ` ${many(badRows, "row is", "rows are")} left out. The first is in line ${bad[0].line}: ${bad[0].fault}`;
}

function remarks(job) {
  return (job.refused > 0 ? ` ${many(job.refused, "row has", "rows have")} no label, because the server refused the text.` : "") +
    (job.guarded > 0 ? ` ${many(job.guarded, "cell")} got an apostrophe in front.` : "");
}

const labelledName = (name) => name.replace(/(\.[^.]*)?$/, (ending) => `-labelled${ending || ".csv"}`);
