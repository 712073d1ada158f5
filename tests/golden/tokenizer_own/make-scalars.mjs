// Writes scalars.NAME.bin: for every 256 Unicode scalars one FNV-1a hash of what Hugging Face's Rust tokenizer makes of them.
//
//   npm install --prefix DIR tokenizers@0.23.2
//   node tests/golden/tokenizer_own/make-scalars.mjs DIR
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const { Tokenizer } = createRequire(resolve(process.argv[2], 'package.json'))('tokenizers');
const here = dirname(fileURLToPath(import.meta.url));

// Every scalar from U+0021 to U+2FFFF is a word and a continuation, so that the ids tell which one a character became.
const vocab = { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, '[MASK]': 4 };
let next = 5;
for (let code = 0x21; code < 0x30000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    vocab[String.fromCodePoint(code)] = next++;
    vocab['##' + String.fromCodePoint(code)] = next++;
}

// clean_text, handle_chinese_chars, strip_accents, lowercase
const variants = {
    uncased: [true, true, null, true],
    cased: [true, true, null, false],
    lower_with_accents: [true, true, false, true],
    bare: [false, false, true, false],
};
for (const [name, [clean_text, handle_chinese_chars, strip_accents, lowercase]] of Object.entries(variants)) {
    const tokenizer = Tokenizer.fromString(JSON.stringify({
        version: '1.0', truncation: null, padding: null, added_tokens: [],
        normalizer: { type: 'BertNormalizer', clean_text, handle_chinese_chars, strip_accents, lowercase },
        pre_tokenizer: { type: 'BertPreTokenizer' }, post_processor: null, decoder: null,
        model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab } }));
    const hashes = Buffer.alloc(0x1100 * 4);
    for (let block = 0; block < 0x1100; block++) {
        // One line with the scalar alone and one with it inside a word, for all of them: one text.
        let text = '';
        for (let code = block << 8; code < (block + 1) << 8; code++) {
            if (code >= 0xd800 && code < 0xe000) continue;
            const c = String.fromCodePoint(code);
            text += `${c}\na${c}b\n`;
        }
        const row = await tokenizer.encode(text, null, { addSpecialTokens: false });
        let hash = 0x811c9dc5;
        const add = n => { hash = Math.imul(hash ^ n, 0x01000193); };
        row.getIds().forEach(add);
        row.getOffsets().flat().forEach(add);
        hashes.writeInt32LE(hash | 0, block * 4);
    }
    writeFileSync(join(here, `scalars.${name}.bin`), hashes);
}
