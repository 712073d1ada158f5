// Writes src/Attune.Text/Tokenization/unicode.bin: what Hugging Face's tokenizer knows of each Unicode scalar.
//
//   npm install --prefix DIR tokenizers@0.23.2
//   node build/tokenizer-tables.mjs DIR src/Attune.Text/Tokenization/unicode.bin
//
// The Rust tokenizer takes its categories, its decompositions and its lower case from three crates of three Unicode versions, so the
// only true source is the tokenizer itself: every scalar is put through its normalizers and its pre-tokenizer, and the answers are kept.
//
// The file: flag runs, lower case, decompositions, ranks of combining marks. Numbers are LEB128, code points differences.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const [folder, target] = process.argv.slice(2);
const hf = createRequire(resolve(folder, 'package.json'))('tokenizers');

// The bits of UnicodeTable.cs.
const Dropped = 1, Space = 2, Punctuation = 4, Ideograph = 8, Mark = 16, Word = 32, Decomposes = 64, Lowers = 128;

const only = options => hf.bertNormalizer({
    cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: false, ...options });
const clean = only({ cleanText: true }), ideographs = only({ handleChineseChars: true });
const strip = only({ stripAccents: true }), lower = only({ lowercase: true });
const nfd = hf.nfdNormalizer(), cut = hf.bertPreTokenizer();

const scalars = [];
for (let code = 0; code < 0x110000; code++) if (code < 0xd800 || code > 0xdfff) scalars.push(code);
const isHangul = code => code >= 0xac00 && code < 0xac00 + 11172;
const points = text => [...text].map(c => c.codePointAt(0));

const flags = new Uint8Array(0x110000), lowered = [], decomposed = [];
for (const code of scalars) {
    const c = String.fromCodePoint(code);
    let bits = 0;
    const cleaned = clean.normalizeString(`a${c}b`);
    if (cleaned === 'ab') bits |= Dropped;
    const pieces = cut.preTokenizeString(`a${c}b`).map(p => p[0]);
    if (pieces.length === 2) bits |= Space;
    else if (pieces.length === 3) bits |= Punctuation;
    if (cleaned === 'a b' && !(bits & Space)) throw new Error(`${code}: a space for one and not for the other`);
    if (ideographs.normalizeString(`a${c}b`) === `a ${c} b`) bits |= Ideograph;
    const parts = nfd.normalizeString(c);
    if (isHangul(code)) {
        if (parts !== c.normalize('NFD')) throw new Error(`${code}: not the arithmetic of Hangul`);
    } else if (parts !== c) {
        bits |= Decomposes;
        decomposed.push([code, points(parts)]);
    } else if (strip.normalizeString(`a${c}`) === 'a') bits |= Mark;
    const small = lower.normalizeString(c);
    if (small !== c) {
        bits |= Lowers;
        if (code === 0x130) { if (small !== 'i\u0307') throw new Error('U+0130'); }
        else if (points(small).length !== 1) throw new Error(`${code}: lower case is ${points(small).length} scalars`);
        lowered.push([code, points(small)[0]]);
    }
    flags[code] = bits;
}

// What a single_word token takes for part of a word, and what lstrip takes for a space.
const single = hf.Tokenizer.fromString(JSON.stringify({
    version: '1.0', truncation: null, padding: null, normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null,
    added_tokens: [
        { id: 1, content: '<w>', single_word: true, lstrip: false, rstrip: false, normalized: false, special: false },
        { id: 2, content: '<l>', single_word: false, lstrip: true, rstrip: false, normalized: false, special: false }],
    model: { type: 'WordLevel', vocab: { '[UNK]': 0, '<w>': 1, '<l>': 2 }, unk_token: '[UNK]' } }));
for (let i = 0; i < scalars.length; i += 10000) {
    const some = scalars.slice(i, i + 10000), text = some.map(code => String.fromCodePoint(code));
    const words = await single.encodeBatch(text.map(c => `${c}<w>`)), spaces = await single.encodeBatch(text.map(c => `${c}<l>`));
    some.forEach((code, k) => {
        if (!words[k].getIds().includes(1)) flags[code] |= Word;
        if ((spaces[k].getLength() === 1) !== ((flags[code] & Space) !== 0)) throw new Error(`${code}: lstrip sees another space`);
    });
}

// Canonical combining classes are only compared, so their ranks do. Two marks are compared by letting NFD sort them.
const turns = (a, b) => nfd.normalizeString('a' + String.fromCodePoint(a, b)) !== 'a' + String.fromCodePoint(a, b);
const marks = scalars.filter(code => !isHangul(code) && !(flags[code] & Decomposes) && (turns(code, 0x334) || turns(0x345, code)));
marks.sort((a, b) => turns(a, b) ? 1 : turns(b, a) ? -1 : a - b);
const ranked = [];
for (let i = 0, rank = 0; i < marks.length; i++) {
    if (i === 0 || turns(marks[i], marks[i - 1]) || turns(marks[i - 1], marks[i])) rank++;
    ranked.push([marks[i], rank]);
}
ranked.sort((a, b) => a[0] - b[0]);

const bytes = [];
const number = n => { for (; n >= 128; n = Math.floor(n / 128)) bytes.push(n % 128 + 128); bytes.push(n); };
const signed = n => number(n < 0 ? -2 * n - 1 : 2 * n);
const table = (rows, value) => {
    number(rows.length);
    let last = 0;
    for (const [code, x] of rows) { number(code - last); last = code; value(x, code); }
};
const runs = [];
for (let code = 0; code < flags.length; code++)
    if (code === 0 || flags[code] !== flags[code - 1]) runs.push([code, flags[code]]);
table(runs, bits => bytes.push(bits));
table(lowered, (small, code) => signed(small - code));
table(decomposed, parts => { number(parts.length); parts.forEach(number); });
table(ranked, rank => bytes.push(rank));
writeFileSync(target, Buffer.from(bytes));
console.log(`${runs.length} runs, ${lowered.length} lower, ${decomposed.length} decomposed, ${ranked.length} marks in ` +
    `${Math.max(...ranked.map(r => r[1]))} ranks; ${bytes.length} bytes`);
