// Encodes texts with the npm package "tokenizers": node tokenizer-rust.mjs FOLDER TOKENIZER.JSON TEXTS.JSON IDS.BIN ROUNDS BATCH
// Prints the milliseconds of each batch in each round as JSON; writes number and ids of every row as 32-bit integers.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const [folder, file, input, output, rounds, size] = process.argv.slice(2);
const { Tokenizer } = createRequire(resolve(folder, 'package.json'))('tokenizers');
const tokenizer = Tokenizer.fromString(readFileSync(file, 'utf8'));
const texts = JSON.parse(readFileSync(input, 'utf8')), batches = [], times = [];
for (let i = 0; i < texts.length; i += +size) batches.push(texts.slice(i, i + +size));

for (let i = 0; i < rounds; i++) {
    const round = [];
    for (const batch of batches) {
        const start = performance.now();
        await tokenizer.encodeBatch(batch);
        round.push(performance.now() - start);
    }
    times.push(round);
}
const rows = [];
for (const batch of batches)
    for (const row of await tokenizer.encodeBatch(batch)) {
        const ids = row.getIds();
        rows.push(Int32Array.of(ids.length, ...ids));
    }
writeFileSync(output, Buffer.concat(rows.map(row => Buffer.from(row.buffer))));
console.log(JSON.stringify(times));
