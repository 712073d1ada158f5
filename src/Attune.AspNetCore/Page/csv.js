// CSV and TSV as Attune reads them from training files (DelimitedReader, TsvQuoting): the same cells, and the same rows that cannot be used.

/** Reads a text piece by piece. */
export class CsvReader {
  #delimiter; #quotes;
  #cells = []; #cell = ""; #state = "start"; #isBad = false; #isBlank = true; #afterReturn = false;
  #line = 1; #firstLine = 1;

  /** With quotes false a quote is a letter like any other. */
  constructor(delimiter, quotes = true) {
    this.#delimiter = delimiter;
    this.#quotes = quotes;
  }

  /** The rows that a piece of the text completes: their cells, the line they begin on, and whether a quote of theirs is out of place. */
  push(text) {
    const rows = [];
    for (let i = 0; i < text.length;) i = this.#state === "quoted" ? this.#inQuotes(text, i) : this.#outside(text, i, rows);
    return rows;
  }

  /** The last row, if the text does not end with a line break. */
  end() {
    if (this.#state === "quoted") this.#isBad = true;
    const rows = [];
    this.#finishRow(rows);
    return rows;
  }

  #inQuotes(text, i) {
    const close = text.indexOf('"', i);
    const piece = text.slice(i, close < 0 ? text.length : close);
    this.#cell += piece;
    for (let at = piece.indexOf("\n"); at >= 0; at = piece.indexOf("\n", at + 1)) this.#line++;
    if (close < 0) return text.length;
    this.#state = "closed";
    return close + 1;
  }

  #outside(text, i, rows) {
    const letter = text[i];
    if (letter === "\n" && this.#afterReturn) {
      this.#afterReturn = false;
      return i + 1;
    }
    this.#afterReturn = false;
    if (letter === "\r" || letter === "\n") {
      this.#line++;
      this.#afterReturn = letter === "\r";
      this.#finishRow(rows);
    } else if (letter === this.#delimiter) {
      this.#isBlank = false;
      this.#finishCell();
    } else if (this.#quotes && letter === '"' && this.#state === "start") {
      this.#isBlank = false;
      this.#state = "quoted";
    } else if (letter === '"' && this.#state === "closed") {
      this.#cell += '"';                                   // a doubled quote
      this.#state = "quoted";
    } else {
      return this.#plain(text, i);
    }
    return i + 1;
  }

  #plain(text, i) {
    if (this.#state === "closed") this.#isBad = true;      // goes on behind its closing quote
    this.#state = "plain";
    this.#isBlank = false;
    let end = i + 1;
    while (end < text.length && text[end] !== this.#delimiter && text[end] !== "\r" && text[end] !== "\n") end++;
    this.#cell += text.slice(i, end);
    return end;
  }

  #finishCell() {
    this.#cells.push(this.#cell);
    this.#cell = "";
    this.#state = "start";
  }

  #finishRow(rows) {
    if (!this.#isBlank) {
      this.#finishCell();
      rows.push({ cells: this.#cells, line: this.#firstLine, isBad: this.#isBad });
    }
    [this.#cells, this.#cell, this.#state, this.#isBad, this.#isBlank, this.#firstLine] = [[], "", "start", false, true, this.#line];
  }
}

/** A comma; where the first row has none outside quotes, the semicolon or tab that spreadsheets of some countries write. */
export function delimiterOf(text) {
  const seen = new Set();
  let isQuoted = false, mayOpen = true;
  for (const letter of text) {
    if (!isQuoted && (letter === "\n" || letter === "\r")) break;
    const closes = isQuoted && letter === '"';
    if (letter === '"') isQuoted = !isQuoted && mayOpen;
    const isDelimiter = letter === "," || letter === ";" || letter === "\t";
    if (isDelimiter && !isQuoted) seen.add(letter);
    mayOpen = isDelimiter || closes;
  }
  return [",", ";", "\t"].find((letter) => seen.has(letter)) ?? ",";
}

/** Whether the quotes of a TSV file are a writer's marks, and not part of the texts as in the files of GLUE. Reads it piece by piece. */
export class TsvQuotes {
  #quoted = []; #column = 0; #columns = -1; #rows = 0;
  #state = "start"; #hasSign = false; #isPlain = false; #isEmpty = true;

  push(text) {
    for (let i = 0; i < text.length && !this.#isPlain; i++) this.#take(text[i]);
  }

  end() {
    if (this.#state === "quoted") this.#isPlain = true;
    if (!this.#isEmpty) this.#finishRow();
    return !this.#isPlain && (this.#hasSign || this.#quoted.some((cells) => cells > 0 && cells >= this.#rows - 1));
  }

  #take(letter) {
    if (this.#state === "quoted") {
      if (letter === '"') this.#state = "closed";
      else if (letter === "\t" || letter === "\n") this.#hasSign = true;
      return;
    }
    if (letter === "\r" || letter === "\n") {
      if (!this.#isEmpty) this.#finishRow();
      return;
    }
    this.#isEmpty = false;
    if (letter === "\t") this.#finishCell();
    else if (letter === '"' && this.#state === "start") {
      this.#quoted[this.#column] = (this.#quoted[this.#column] ?? 0) + 1;
      this.#state = "quoted";
    } else if (letter === '"' && this.#state === "closed") [this.#hasSign, this.#state] = [true, "quoted"];
    else if (letter === '"' || this.#state === "closed") this.#isPlain = true;
    else this.#state = "plain";
  }

  #finishCell() {
    this.#column++;
    this.#state = "start";
  }

  #finishRow() {
    this.#finishCell();
    if (this.#columns < 0) this.#columns = this.#column;
    if (this.#column !== this.#columns) this.#isPlain = true;
    this.#rows++;
    [this.#column, this.#isEmpty] = [0, true];
  }
}

/** A row as it is written: cells in quotes where they need them. */
export function rowText(cells, delimiter, lineEnd, quotes = true) {
  return cells.map((cell) => quoted(cell, delimiter, quotes)).join(delimiter) + lineEnd;
}

function quoted(cell, delimiter, quotes) {
  if (!quotes) return cell.replace(/[\t\r\n]/g, " ");      // of a file that knows no quotes
  return /[",;\t\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const number = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i;

/** Whether a cell is a number, as the first line of a file without a header often has one; "007" is text. */
export const isNumber = (cell) => number.test(cell) && !/^[-+]*0\d/.test(cell) && Number.isFinite(Number(cell));

/**
 * Whether a spreadsheet would take a cell for a formula. Plain numbers such as -5 begin like one and are none.
 * Blanks in front do not help: some programs cut them off.
 */
export const isFormula = (cell) => /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r]/.test(cell) && !isNumber(cell);
