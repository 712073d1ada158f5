// Writes texts.jsonl: ids, types, places and decoded texts that Hugging Face's Rust tokenizer gives for texts made here.
//
//   npm install --prefix DIR tokenizers@0.23.2
//   node tests/golden/tokenizer_own/make-texts.mjs DIR
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const { Tokenizer } = createRequire(resolve(process.argv[2], 'package.json'))('tokenizers');
const here = dirname(fileURLToPath(import.meta.url));
const lines = readFileSync(join(here, '../../../src/Attune/Resources/attune-mini/vocab.txt'), 'utf8').split('\n').slice(0, -1);
const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
const { variants } = JSON.parse(readFileSync(join(here, 'variants.json'), 'utf8'));

// A small generator with a fixed seed, so that the file can be made again.
let state = 20240611;
const random = n => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return Math.floor(state / 4294967296 * n); };
const pick = list => list[random(list.length)];

const written = [
    '', ' ', '\n\t ', 'a', '.', 'The quick brown fox jumps over the lazy dog.', "I can't believe it's not butter!",
    'An unbelievably, extraordinarily long-winded sentence; with (parentheses), "quotes" and 100% of the rest...',
    'first line\nsecond line\r\nthird\tcolumn', 'caf\u00e9 and cafe\u0301 and CAF\u00c9', 'na\u00efve co\u00f6perate \u00fcber Stra\u00dfe STRA\u1e9eE',
    'D\u0130YARBAKIR \u0131stanbul I\u0307', '\u01c5 \u01c4 \u01c6 \u01f2ungla', '\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2', '\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0439\u0401',
    '\u6771\u4eac\u90fdtokyo\u90fd 123\u5b57', '\uf900\u2f800 x\ud87e\udc00y \ud86e\udd20z \ud86e\udc20z', '\ud55c\uad6d\uc5b4 \uac01', '\u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22\u0e19\u0e49\u0e33 \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u0627\u0644\u0633\u0651\u064e\u0644\u0627\u0645',
    'smile \ud83d\ude00\ud83d\udc4d\ud83c\udffd family \ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 flag \ud83c\uddeb\ud83c\uddf7 heart \u2764\ufe0f', 'zero\u200bwidth soft\u00adhyphen bom\ufeff nul\u0000 del\u007f esc\u001b[0m',
    'nbsp\u00a0here thin\u2009here line\u2028here next\u0085line vt\u000bff\u000c', '\u201cquoted\u201d \u2018single\u2019 it\u2019s \u2014 dash\u2013dash \u2026 \u00ab\u00bb \u00bf\u00a1',
    'a$b+c<d=e>f^g`h|i~j_k\\l', '5\u20ac \u00a312 \u00a53 x\u00b2 \u00bd \u2153 \u2460 \u2163', '\u037e \u1fef \u0387 \u2126 \u212a \u212b \u00c5 A\u030a', 'x'.repeat(100), 'x'.repeat(101), '\u00e9'.repeat(100), '\u00e9'.repeat(101), '\ud83d\ude00'.repeat(101),
    'a' + '\u0301\u0323\u0327'.repeat(5) + 'b', '\u0301abc \u0344x \u0f73\u0f71 a\u0f73\u0334', '\u1ec7\u0323 q\u0307\u0323 \u1e0b\u0323 \ud834\udd5e \ud834\udd57\ud834\udd65',
    'I like [MASK] and [SEP] or [sep] and [CLS][PAD] [UNK] [MASKED]', ' [MASK] \t [MASK]x[MASK] ', '<e1> Paris </e1> is in <E1>France</E1>', 'wordpart partword part part. (part) \u00e9part part\u0301',
    'Gr\u00fcn gr\u00fcn GR\u00dcN grun gru\u0308n', 'keep<left   keep<left', 'right>   right> keep', '##ing # ing ##', 'un##known [unused1]', '\ue000private \ud800\udc00 \udbff\udffd', '\ufffd\ufffe\uffff',
];
const alphabets = [
    [...'abcdefghijklmnopqrstuvwxyz'], [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'], [...' \t\n.,;:!?\'"()-_/#@&*%$'],
    [...'\u00e0\u00e9\u00ee\u00f5\u00fc\u00e7\u00f1\u0107\u0119\u0142\u0161\u017e\u00df\u00e6\u00f8\u0152\u0130\u0131'], [...'\u0300\u0301\u0308\u0323\u0327\u0338\u0345\u05b0\u064b\u093c\u0e38\u302a\u3099'],
    [...'\u0391\u03b2\u03a3\u03c2\u03ce\u0416\u0451\u0419\u05d0\u0627\u0939\u093f\u0e44\u1e0b\u1ec7'], [...'\u4e2d\u6587\u3042\u30a2\uac00\ud55c\uf900\u3400'], [...'\u200b\u00ad\ufeff\u0000\u00a0\u2028\u0085\u000b'],
    ['\ud83d\ude00', '\ud83d\udc4d', '\ud83c\udffd', '\u200d', '\ufe0f', '\ud840\udc00', '\ud86e\udd20', '\ud834\udd65', '\ud835\udc00', '\udb40\udc61'],
    ['[MASK]', '[SEP]', '<e1>', 'part', 'gr\u00fcn', 'keep<left', 'right>', ' the ', ' movie ', 'wonderful', 'unhappiness', "don't"],
];
const generated = Array.from({ length: 700 }, () => {
    const some = Array.from({ length: 1 + random(4) }, () => pick(alphabets));
    return Array.from({ length: 1 + random(40) }, () => pick(pick(some))).join('');
});
const words = lines.filter(token => /^[a-z]{2,}$/.test(token));
const sentences = Array.from({ length: 150 }, () => {
    const text = Array.from({ length: 2 + random(30) }, () => random(5) ? pick(words) : pick(words) + pick(words)).join(' ');
    return text[0].toUpperCase() + text.slice(1) + pick(['.', '!', '?', ' ...']);
});

const rows = [];
const row = async (tokenizer, variant, text, pair, strategy, max_length) => {
    const line = { variant, text, ...(pair === null ? {} : { pair }), ...(strategy ? { strategy, max_length } : {}) };
    if (strategy) tokenizer.setTruncation(max_length, { strategy: strategy.split('_').map(word => word[0].toUpperCase() + word.slice(1)).join('') });
    else tokenizer.disableTruncation();
    try {
        const e = await tokenizer.encode(text, pair);
        Object.assign(line, { ids: e.getIds(), types: e.getTypeIds(), special: e.getSpecialTokensMask(), off: e.getOffsets().flat() });
        if (pair === null && !strategy)
            Object.assign(line, { decoded: await tokenizer.decode(line.ids, false), plain: await tokenizer.decode(line.ids, true) });
    } catch {
        line.error = true;
    }
    rows.push(JSON.stringify(line));
};
for (const [variant, { options, added_tokens }] of Object.entries(variants)) {
    const special = id => ({ id, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
    const tokenizer = Tokenizer.fromString(JSON.stringify({
        version: '1.0', truncation: null, padding: null,
        added_tokens: [
            ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((content, id) => ({ ...special(id), content })),
            ...added_tokens.map((token, k) => ({ id: lines.length + k, ...token }))],
        normalizer: { type: 'BertNormalizer', ...options }, pre_tokenizer: { type: 'BertPreTokenizer' },
        post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] }, decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
        model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab } }));
    for (const text of [...written, ...generated, ...sentences.slice(0, 30)]) await row(tokenizer, variant, text, null);
    if (variant === 'uncased')
        for (let i = 0; i < 600; i++)
            await row(tokenizer, variant, pick(sentences), random(6) ? pick(sentences) : null,
                pick(['longest_first', 'only_first', 'only_second']), 3 + random(60));
}
writeFileSync(join(here, 'texts.jsonl.gz'), gzipSync(rows.join('\n') + '\n', { level: 9 }));
console.log(`${rows.length} rows`);
