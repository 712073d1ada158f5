// A file of rows as the user chose it: what is in it, and its rows again when they are to be labelled. It is read as a stream both times.

import { CsvReader, TsvQuotes, delimiterOf, isNumber } from "./csv.js";
import { many } from "./dom.js";

const sampleRows = 200;
const mostBadShare = 0.01;                                 // as when training: more means that the file is not what it was taken for

/** Why a file cannot be used, in a sentence for the user. */
export class BadFile extends Error {}

/** Reads a file once from its beginning to its end. */
export async function scan(file, signal) {
  const head = new Uint8Array(await file.slice(0, 3).arrayBuffer());
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new BadFile(`${file.name} is UTF-16. Save it as "CSV UTF-8" in the spreadsheet, and choose it again.`);
  }
  const sheet = new Sheet(file, head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf);
  await sheet.scan(signal);
  return sheet;
}

class Sheet {
  constructor(file, hasMark) {
    this.file = file;
    this.hasMark = hasMark;                                // a byte order mark
    this.names = [];
    this.samples = [];
    this.rows = 0;
    this.bad = [];
    this.badRows = 0;
  }

  async scan(signal) {
    const isTsv = /\.tsv$/i.test(this.file.name);
    const beginning = await this.file.slice(0, 1 << 20).text();
    this.delimiter = isTsv ? "\t" : delimiterOf(beginning.replace(/^\uFEFF/, ""));
    this.lineEnd = /\r\n|\r|\n/.exec(beginning)?.[0] ?? "\n";
    this.quotes = true;
    if (isTsv) {
      const quotes = new TsvQuotes();
      for await (const text of this.#texts(signal)) quotes.push(text);
      this.quotes = quotes.end();
    }
    for await (const row of this.read(signal)) {
      this.rows++;
      if (row.fault !== null) {
        this.badRows++;
        if (this.bad.length < 5) this.bad.push(row);
      } else if (this.samples.length < sampleRows) this.samples.push(row.cells);
    }
    if (this.rows === 0) throw new BadFile(`${this.file.name} has no rows below its first line.`);
    if (this.badRows > this.rows * mostBadShare) {
      const [first] = this.bad;
      throw new BadFile(`${many(this.badRows, "row")} of ${this.rows} cannot be used. The first is in line ${first.line}: ${first.fault}`);
    }
  }

  /** All rows below the header: their cells, their line, and what is wrong with them or null. */
  async *read(signal) {
    const reader = new CsvReader(this.delimiter, this.quotes);
    let isFirst = true;
    const self = this;
    function* checked(rows) {
      for (const row of rows) {
        if (isFirst) {
          isFirst = false;
          self.width = row.cells.length;
          self.hasHeader = !row.isBad && isHeader(row.cells);
          self.names = row.cells.map((cell, i) => (self.hasHeader && cell.trim()) || `column${i + 1}`);
          if (self.hasHeader) {
            self.header = row.cells;
            continue;
          }
        }
        yield { ...row, fault: self.#faultOf(row) };
      }
    }
    for await (const text of this.#texts(signal)) yield* checked(reader.push(text));
    yield* checked(reader.end());
  }

  #faultOf(row) {
    if (row.isBad) return "a quoted cell is not closed, or goes on after its closing quote. Write a quote inside a quoted cell twice.";
    if (row.cells.length !== this.width) {
      const sign = this.delimiter === "\t" ? "a tab" : `"${this.delimiter}"`;
      return `it has ${many(row.cells.length, "cell")}, not the ${this.width} of the first line. Put quotes around a cell that contains ${sign}.`;
    }
    return row.cells.some((cell) => cell.includes("\0")) ? "it has NUL characters. Remove them." : null;
  }

  async *#texts(signal) {
    const reader = this.file.stream().pipeThrough(new TextDecoderStream("utf-8", { fatal: true })).getReader();
    try {
      for (;;) {
        signal?.throwIfAborted();
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } catch (fault) {
      if (fault instanceof TypeError) throw new BadFile(`${this.file.name} is not UTF-8. Save it as "CSV UTF-8" in the spreadsheet, and choose it again.`);
      if (fault instanceof DOMException && fault.name !== "AbortError") throw new BadFile(`${this.file.name} cannot be read, or was changed since. Choose it again.`);
      throw fault;
    } finally {
      reader.cancel().catch(() => {});
    }
  }
}

/** The first line names the columns unless a cell of it is a number; the numbers 0, 1, 2 ... are names. */
function isHeader(cells) {
  return !cells.some(isNumber) || (cells.length > 1 && cells.every((cell, i) => cell === String(i)));
}

/** Which columns hold the texts: usual names, else the column with the longest cells that are neither labels nor numbers. */
export function guessTexts(sheet, usualTexts, usualLabels) {
  const names = sheet.names.map((name) => name.toLowerCase());
  for (const usual of usualTexts) {
    const found = usual.map((name) => names.indexOf(name));
    if (found.every((at) => at >= 0)) return found;
  }
  let [best, most] = [0, -1];
  names.forEach((name, i) => {
    const cells = sheet.samples.map((row) => row[i]);
    const length = cells.reduce((sum, cell) => sum + (isNumber(cell) ? 0 : cell.length), 0);
    if (length > most && !(usualLabels.includes(name) && names.length > 1)) [best, most] = [i, length];
  });
  return [best];
}
