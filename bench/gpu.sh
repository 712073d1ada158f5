#!/usr/bin/env bash
# Measures what Attune promises of a graphics card, and what it is compared with, on this machine and in one go:
#
#   bench/gpu.sh [FOLDER]
#
# FOLDER takes what is measured (default: a new one under the system's temporary folder). The last lines are the JSON of the checks.
# Where there is no card it ends with one sentence and exit code 1; so it does where a target is missed.
#
#   ATTUNE_LIBTORCH     a libtorch with CUDA; default that of ATTUNE_GPU_PYTHON
#   ATTUNE_GPU_PYTHON   a Python with torch and transformers (and accelerate, which its Trainer needs); default python3
#   ATTUNE_BENCHMARKS   the published program of bench/Attune.Benchmarks, for a machine without the SDK of .NET
#   ATTUNE_DATA         the folder with SST-2 (glue/SST-2) and bert-base-uncased's vocabulary; without it rows of the same lengths are made
set -euo pipefail

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
  exit 0
fi

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$(mktemp -d -t attune-gpu-XXXXXX)}
python=${ATTUNE_GPU_PYTHON:-python3}
checks=(gpu-batch-32 gpu-tokens-16k gpu-peak gpu-epoch gpu-memory)
mkdir -p "$folder"

say() { printf '%s\n' "$*" >&2; }

if [[ -n ${ATTUNE_BENCHMARKS:-} ]]; then
  program=("$ATTUNE_BENCHMARKS")
elif command -v dotnet >/dev/null; then
  dotnet build -c Release -v q -nologo "$root/bench/Attune.Benchmarks" >&2
  program=(dotnet run --no-build -c Release --project "$root/bench/Attune.Benchmarks" --)
else
  say "There is no dotnet here; publish bench/Attune.Benchmarks elsewhere and name the program in ATTUNE_BENCHMARKS."
  exit 1
fi

if [[ -z ${ATTUNE_LIBTORCH:-} ]]; then
  if lib=$("$python" -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))' 2>/dev/null); then
    export ATTUNE_LIBTORCH=$lib
    say "libtorch: $lib"
  fi
fi

# The first thing that needs the card says so where there is none.
"${program[@]}" gpu-rows "$folder/rows.jsonl" || exit 1

cat >"$folder/transformers_side.py" <<'PYTHON'
"""Rows a second of the Trainer of transformers, BERT-base with random weights, bf16, updates of 32 rows, padded to the longest row and to 512."""
import json
import sys
import time

import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback, TrainingArguments

ROWS, OUT = sys.argv[1], sys.argv[2]
BATCH = 32


class Clock(TrainerCallback):
    """Times the updates after the first ones, when the card has done what it was given."""

    def __init__(self, first, last):
        self.first, self.last, self.begun, self.seconds = first, last, 0.0, 0.0

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step not in (self.first, self.last):
            return
        torch.cuda.synchronize()
        if state.global_step == self.first:
            self.begun = time.perf_counter()
        else:
            self.seconds = time.perf_counter() - self.begun


def collate(columns):
    """As DataCollatorWithPadding does: to the longest row where columns is None, else to so many."""

    def batch(rows):
        longest = columns or max(len(row["input_ids"]) for row in rows)
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            length = len(row["input_ids"])
            ids[i, :length] = torch.tensor(row["input_ids"])
            mask[i, :length] = 1
        return {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([row["labels"] for row in rows])}

    return batch


def rows_per_second(data, columns, first, timed):
    torch.manual_seed(42)
    clock = Clock(first, first + timed)
    arguments = TrainingArguments(
        output_dir=OUT + ".run", per_device_train_batch_size=BATCH, max_steps=first + timed, bf16=True, learning_rate=2e-5, weight_decay=0.01,
        save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True, remove_unused_columns=False,
    )
    model = BertForSequenceClassification(BertConfig(num_labels=2))
    Trainer(model=model, args=arguments, train_dataset=data, data_collator=collate(columns), callbacks=[clock]).train()
    return timed * BATCH / clock.seconds


def main():
    with open(ROWS, encoding="utf-8") as file:
        data = [{"input_ids": json.loads(line), "labels": i % 2} for i, line in enumerate(file)]
    figures = {
        "torch": torch.__version__, "transformers": transformers.__version__, "card": torch.cuda.get_device_name(0),
        "dynamic": rows_per_second(data, None, first=50, timed=400), "howto": rows_per_second(data, 512, first=10, timed=60),
    }
    with open(OUT, "w", encoding="utf-8") as file:
        json.dump(figures, file)
    print(json.dumps(figures), file=sys.stderr)


main()
PYTHON

if ! "$python" -c 'import torch, transformers, accelerate; assert torch.cuda.is_available()' 2>/dev/null; then
  say "transformers is not measured: $python has no torch with CUDA, transformers and accelerate (ATTUNE_GPU_PYTHON names another). Attune is measured alone."
elif "$python" "$folder/transformers_side.py" "$folder/rows.jsonl" "$folder/transformers.json" >"$folder/transformers.log" 2>&1; then
  export ATTUNE_GPU_TRANSFORMERS=$folder/transformers.json
  say "transformers: $(cat "$folder/transformers.json")"
else
  say "transformers failed, see $folder/transformers.log; Attune is measured alone."
fi

code=0
for check in "${checks[@]}"; do
  say "== $check"
  "${program[@]}" check "$check" | tee "$folder/$check.txt" >&2 || code=1
done
for check in "${checks[@]}"; do tail -n 1 "$folder/$check.txt"; done
say "All of it is in $folder."
exit "$code"
