// Writes unicode.bin and unicode-forms.bin of a folder: what Hugging Face's tokenizer knows of each Unicode scalar.
//
//   npm install --prefix DIR tokenizers@0.23.2
//   node build/tokenizer-tables.mjs DIR src/Attune.Text/Tokenization
//
// The Rust tokenizer takes its categories, its decompositions and its lower case from three crates of three Unicode versions, so the
// only true source is the tokenizer itself: every scalar is put through its normalizers and its pre-tokenizer, and the answers are kept.
//
// unicode.bin: flag runs, lower case, decompositions, ranks of combining marks. unicode-forms.bin, for tokenizers other than BERT's: runs of
// further flags, compatibility decompositions, composed pairs. Numbers are LEB128, code points differences.
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

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

const writer = () => {
    const bytes = [];
    const number = n => { for (; n >= 128; n = Math.floor(n / 128)) bytes.push(n % 128 + 128); bytes.push(n); };
    const table = (rows, value) => {
        number(rows.length);
        let last = 0;
        for (const [code, x] of rows) { number(code - last); last = code; value(x, code); }
    };
    return { bytes, number, table };
};
const runsOf = flags => {
    const runs = [];
    for (let code = 0; code < flags.length; code++)
        if (code === 0 || flags[code] !== flags[code - 1]) runs.push([code, flags[code]]);
    return runs;
};

const first = writer(), runs = runsOf(flags);
const signed = n => first.number(n < 0 ? -2 * n - 1 : 2 * n);
first.table(runs, bits => first.bytes.push(bits));
first.table(lowered, (small, code) => signed(small - code));
first.table(decomposed, parts => { first.number(parts.length); parts.forEach(first.number); });
first.table(ranked, rank => first.bytes.push(rank));
writeFileSync(join(target, 'unicode.bin'), Buffer.from(first.bytes));
console.log(`${runs.length} runs, ${lowered.length} lower, ${decomposed.length} decomposed, ${ranked.length} marks in ` +
    `${Math.max(...ranked.map(r => r[1]))} ranks; ${first.bytes.length} bytes`);

// The bits of UnicodeForms.cs. The classes are those of the regular expressions that byte-level tokenizers cut words by.
const Letter = 1, Number_ = 2, PatternSpace = 4, CombiningMark = 8;
const byteLevel = hf.byteLevelPreTokenizer(false), accents = hf.stripAccentsNormalizer();
const nfc = hf.nfcNormalizer(), nfkd = hf.nfkdNormalizer();
const further = new Uint8Array(0x110000), compatible = [], composed = [];
for (const code of scalars) {
    const c = String.fromCodePoint(code), count = text => byteLevel.preTokenizeString(text).length;
    let bits = 0;
    if (count(`a${c}a`) === 1) bits |= Letter;
    else if (count(`1${c}1`) === 1) bits |= Number_;
    else if (count(`!${c}!`) > 1) bits |= PatternSpace;
    if (accents.normalizeString(`a${c}`) === 'a') bits |= CombiningMark;
    further[code] = bits;
    if (isHangul(code)) continue;
    const canonical = nfd.normalizeString(c), compatibly = nfkd.normalizeString(c);
    if (compatibly !== canonical) compatible.push([code, points(compatibly)]);
    if (canonical === c || nfc.normalizeString(c) !== c) continue;
    const parts = points(canonical), second = parts.pop(), before = points(nfc.normalizeString(String.fromCodePoint(...parts)));
    if (before.length !== 1 || nfc.normalizeString(String.fromCodePoint(before[0], second)) !== c) throw new Error(`${code}: not composed of two`);
    composed.push([code, [before[0], second]]);
}
const last = writer(), moreRuns = runsOf(further);
last.table(moreRuns, bits => last.bytes.push(bits));
last.table(compatible, parts => { last.number(parts.length); parts.forEach(last.number); });
last.table(composed, parts => parts.forEach(last.number));
writeFileSync(join(target, 'unicode-forms.bin'), Buffer.from(last.bytes));
console.log(`${moreRuns.length} runs, ${compatible.length} compatible, ${composed.length} composed; ${last.bytes.length} bytes`);
