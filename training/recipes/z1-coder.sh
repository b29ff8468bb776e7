#!/usr/bin/env bash
# An adapter of a Qwen2.5-Coder model, trained on code trajectories of a teacher: questions, trajectories, training, GGUF
# adapter, accuracy over thinking windows with and without it.
#
#   training/recipes/z1-coder.sh OUTPUT BASE.gguf TEACHER.gguf [OPTION…]
#
# OUTPUT is a folder. What it holds already is not made again: stopped or killed, the recipe goes on when it is called
# with the same arguments. Options go to `python -m z1_training.train`, as in z1-mini.sh.
#
# Read from the environment:
#   CODE      programs of CodeI/O that are asked for (default: 1200)
#   PROGRAMS  generated programs (default: 1200)
#   SAMPLES   trajectories of each question (default: 4)
#   LIMIT     tokens of a trajectory (default: 700)
#   PARALLEL  requests at once (default: 8)
#   THREADS   of the models (default: 1)
#   AGAINST   files whose questions no trajectory may have: those that the model will be measured on (default: none)
#   ITEMS     held-out programs of the evaluation (default: 200)
#   PYTHON    the Python that has z1_training (default: python)
set -euo pipefail

if [ $# -lt 3 ]; then
  echo "usage: $0 OUTPUT BASE.gguf TEACHER.gguf [OPTION of z1_training.train]…" >&2
  exit 2
fi
mkdir -p "$1"
output=$(cd "$1" && pwd)
base=$(realpath "$2")
teacher=$(realpath "$3")
shift 3
against=()
for file in ${AGAINST:-}; do against+=(--against "$(realpath "$file")"); done
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=${PYTHON:-python}
load=(--threads "${THREADS:-1}" --parallel "${PARALLEL:-8}")
system='Please reason step by step, and put your final answer within \boxed{}.'
z1() { node dist/cli/main.js "$@"; }

# Questions about programs alone: what reasoning this teaches beyond code is what is measured.
if [ ! -f "$output/code.jsonl" ]; then
  "$python" -m z1_training.gym --code --count "${CODE:-1200}" --seed 1 --output "$output/code.partial.jsonl"
  mv "$output/code.partial.jsonl" "$output/code.jsonl"
fi
z1 data generate --families programs --difficulty 3-8 --seed 1 --count "${PROGRAMS:-1200}" --output "$output/programs.jsonl"

# Of several trajectories that end with the right answer, a short one for what the teacher mostly gets right, a long one for
# what it seldom does: length follows difficulty.
z1 data distill "$output/code.jsonl" "$output/programs.jsonl" --model "$teacher" "${load[@]}" --system "$system" \
  --limit "${LIMIT:-700}" --whole --check --samples "${SAMPLES:-4}" --temperature 0.8 --keep pass-rate --output "$output/distilled.jsonl"
z1 data clean "$output/distilled.jsonl" ${against[@]+"${against[@]}"} --output "$output/train.jsonl"
z1 data stats "$output/train.jsonl"

if [ ! -d "$output/base" ]; then
  "$python" -m z1_training.dequantize "$base" --output "$output/base.partial" --dtype bfloat16
  mv "$output/base.partial" "$output/base"
fi
is_finished() { grep -qs '"finished": true' "$output/run/run.json"; }
if ! is_finished; then
  "$python" -m z1_training.train training/configs/z1-coder-0.5b-lora.yaml --data "$output/train.jsonl" \
    --output "$output/run" --set "model.from_pretrained=$output/base" "$@"
fi
if ! is_finished; then
  echo "The run is not finished; call again to go on: $output/run/run.json" >&2
  exit 75
fi
adapter=$output/z1-coder.gguf
if [ ! -f "$adapter" ]; then z1 convert "$output/run/model" --base "$output/base" --output "$adapter"; fi

# The same quantized file with and without the adapter, on programs that no trajectory is about.
evaluate() {
  z1 eval --task heldout --families programs --difficulty 3-8 --count "${ITEMS:-200}" --seed 1 --model "$base" "${load[@]}" \
    --system "$system" --windows 0,64,128,256,512,inf --context-size 2048 --max-tokens 64 "$@"
}
evaluate --output "$output/eval-base"
evaluate --lora "$adapter" --output "$output/eval-adapted"
z1 eval compare "$output/eval-adapted" "$output/eval-base"
