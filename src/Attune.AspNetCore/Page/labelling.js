// Labels the rows of a sheet: some at a time, in their order, through what the server allows and through its absence.

import { isFormula, rowText } from "./csv.js";
import { Refusal, classify, wait } from "./server.js";

const mostTexts = 64;                                      // of a request, at first
const slow = 5;                                            // seconds for an answer: then fewer texts at a time, so that progress is seen and no limit is met
const mostTries = 4;                                       // for a single text that takes longer than the server allows
const mostLetters = 50_000;
const atOnce = 2;                                          // requests, so that the server computes while an answer travels
const pieceLetters = 1 << 20;                              // of the result that becomes a Blob, which need not stay in memory

/**
 * @param sheet The rows.
 * @param how textColumn, pairColumn (or -1), isGuarded: whether cells that a spreadsheet would run get an apostrophe, isFull: a column for each label.
 * @param model What the server told of itself.
 * @param tell Is called with the rows done, and with why it waits or null.
 */
export class Labelling {
  constructor(sheet, how, model, tell) {
    Object.assign(this, { sheet, how, model, tell });
    [this.done, this.guarded, this.refused] = [0, 0, 0];
    [this.hasBegun, this.isStopped] = [false, false];
    this.mostTexts = Math.min(mostTexts, model.max_texts);
    this.pieces = [];
    this.text = sheet.hasMark ? "\uFEFF" : "";
  }

  /** Until all rows are labelled or the signal stops it; what is done by then is kept either way. */
  async run(signal) {
    const waiting = [];
    try {
      for await (const block of this.#blocks(signal)) {
        waiting.push({ block, answers: this.#answers(block, signal) });
        waiting.at(-1).answers.catch(() => {});            // is seen when its turn comes
        if (waiting.length === atOnce) await this.#take(waiting.shift());
      }
      while (waiting.length > 0) await this.#take(waiting.shift());
    } catch (fault) {
      if (!signal.aborted) throw fault;
      this.isStopped = true;
    }
  }

  /** The file with what was added. */
  result() {
    this.#keep();
    return new Blob(this.pieces, { type: "text/csv;charset=utf-8" });
  }

  async *#blocks(signal) {
    let block = [], letters = 0;
    for await (const row of this.sheet.read(signal)) {
      if (!this.hasBegun) this.#begin();                   // the header is known with the first row
      if (row.fault !== null) continue;
      const size = this.#textOf(row).length + (this.#pairOf(row)?.length ?? 0);
      if (block.length === this.mostTexts || (block.length > 0 && letters + size > mostLetters)) {
        yield block;
        [block, letters] = [[], 0];
      }
      block.push(row);
      letters += size;
    }
    if (block.length > 0) yield block;
  }

  #textOf(row) {
    return row.cells[this.how.textColumn];
  }

  #pairOf(row) {
    return this.how.pairColumn < 0 ? null : row.cells[this.how.pairColumn];
  }

  /** What the model says of a block; null for a row that the server refuses, such as one that is too long for it. */
  async #answers(block, signal) {
    for (let tries = 0; ; tries++) {
      try {
        const started = performance.now();
        const predictions = await classify(block.map((row) => this.#textOf(row)), this.how.pairColumn < 0 ? null : block.map((row) => this.#pairOf(row)), signal);
        if (performance.now() - started > slow * 1000) this.#takeLess(block.length);
        return predictions;
      } catch (fault) {
        if (!(fault instanceof Refusal)) throw fault;
        const isTooSlow = fault.isTooSlow && (block.length > 1 || tries >= mostTries);
        if (isTooSlow) this.#takeLess(block.length);
        if ((fault.isBusy || fault.isGone) && !isTooSlow) {
          this.tell(this.done, `${fault.message} Going on as soon as it answers.`);
          await wait(fault.seconds || Math.min(2 ** tries / 2, 10), signal);
          continue;
        }
        if (!fault.isOfText && !isTooSlow) throw fault;
        if (block.length === 1) return [null];
      }
      const half = block.length >> 1;
      return [...(await this.#answers(block.slice(0, half), signal)), ...(await this.#answers(block.slice(half), signal))];
    }
  }

  #takeLess(length) {
    this.mostTexts = Math.max(1, Math.min(this.mostTexts, length >> 1));
  }

  async #take({ block, answers }) {
    const predictions = await answers;
    block.forEach((row, i) => this.#write([...row.cells, ...this.#added(predictions[i])]));
    this.done += block.length;
    this.tell(this.done, null);
  }

  #begin() {
    this.hasBegun = true;
    if (!this.sheet.hasHeader) return;
    const taken = new Set(this.sheet.header);
    const names = this.model.task === "regression" ? ["predicted_score"]
      : ["predicted_label", "probability", ...(this.how.isFull ? this.model.labels.map((label) => `probability_${label}`) : [])];
    this.#write([...this.sheet.header, ...names.map((name) => free(name, taken))]);
  }

  #added(prediction) {
    const labels = this.model.labels;
    if (prediction === null) {
      this.refused++;
      return this.model.task === "regression" ? [""] : ["", "", ...(this.how.isFull ? labels.map(() => "") : [])];
    }
    if (this.model.task === "regression") return [String(prediction.score)];
    const scores = new Map(prediction.probabilities.map(({ label, score }) => [label, score.toFixed(4)]));
    const all = this.how.isFull ? labels.map((label) => scores.get(label)) : [];
    if (prediction.abstained) return ["", prediction.score.toFixed(4), ...all];
    if (this.model.task !== "multi_label") return [prediction.label, prediction.score.toFixed(4), ...all];
    const chosen = prediction.labels.map((label) => scores.get(label));
    return [prediction.labels.join(";"), chosen.join(";"), ...all];
  }

  #write(cells) {
    if (this.how.isGuarded) {
      cells = cells.map((cell) => {
        if (!isFormula(cell)) return cell;
        this.guarded++;
        return `'${cell}`;
      });
    }
    this.text += rowText(cells, this.sheet.delimiter, this.sheet.lineEnd, this.sheet.quotes);
    if (this.text.length >= pieceLetters) this.#keep();
  }

  #keep() {
    this.pieces.push(new Blob([this.text]));
    this.text = "";
  }
}

/** A name that no column has yet. */
function free(name, taken) {
  let own = name;
  for (let i = 2; taken.has(own); i++) own = `${name}_${i}`;
  taken.add(own);
  return own;
}
