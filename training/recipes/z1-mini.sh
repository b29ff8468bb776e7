#!/usr/bin/env bash
# The embedded model from nothing: problems, tokenizer, training, GGUF file, accuracy over thinking windows.
#
#   training/recipes/z1-mini.sh OUTPUT [OPTION…]
#
# OUTPUT is a folder. What it holds already is not made again: stopped or killed, the recipe goes on when it is called
# with the same arguments. Options go to `python -m z1_training.train`: `--minutes 30` ends a segment of the run with a
# checkpoint and the recipe with status 75, `--set train.threads=1` changes the config.
#
# Read from the environment:
#   STYLE     z1, or delimited: the reasoning between think tags, cut by closing them (default: z1)
#   LENGTHS   short-and-long, or long: always long and with a check (default: short-and-long; with delimited, long: the
#             model that z1-mini is compared with)
#   FROM      a GGUF file of such a model to go on from, with its tokenizer: the last file of problems only, smaller steps
#   RECORDS   problems of the easy, the middle and the last file (default: "24000 32000 160000")
#   SEED      of the last file of problems: another one where a model goes on (default: 3)
#   ITEMS     held-out problems of the evaluation (default: 960)
#   PYTHON    the Python that has z1_training (default: python)
set -euo pipefail

if [ $# -eq 0 ]; then
  echo "usage: $0 OUTPUT [OPTION of z1_training.train]…" >&2
  exit 2
fi
mkdir -p "$1"
output=$(cd "$1" && pwd)
shift
from=${FROM:+$(realpath "$FROM")}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

style=${STYLE:-z1}
read -r easy middle last <<< "${RECORDS:-24000 32000 160000}"
items=${ITEMS:-960}
python=${PYTHON:-python}
z1() { node dist/cli/main.js "$@"; }

case $style in
  z1)
    name=z1-mini
    lengths=${LENGTHS:-short-and-long}
    tokenizer_options=()
    eval_options=(--context-size 1024)
    ;;
  delimited)
    # The same size, problems and tokens a step, but trajectories that are always long and checked, and between think
    # tags. The prompt ends with <think> and a newline, and a cut only closes the tag, as budget forcing does:
    # `--hint ' '`. The model knows the plain hint before the tag too.
    name=z1-mini-delimited
    lengths=${LENGTHS:-long}
    tokenizer_options=(--think)
    eval_options=(--method delimited --hint ' ' --context-size 2048)
    ;;
  *)
    echo "expected z1 or delimited for STYLE but received $style" >&2
    exit 2
    ;;
esac

data=()
# Easy problems first: a small model learns to copy on short questions in a fraction of the time. After the colon, how
# often a family comes: questions of other kinds, which are declined, are a fifth.
families=programs:12,lists:10,numbers:11,letters:10,arithmetic:13,stories:4,several:3,outside:16
generate=(data generate --style "$style" --lengths "$lengths" --families "$families")
if [ -z "$from" ]; then
  z1 "${generate[@]}" --count "$easy" --seed 1 --difficulty 1-2 --output "$output/1.jsonl"
  z1 "${generate[@]}" --count "$middle" --seed 2 --difficulty 1-4 --output "$output/2.jsonl"
  data=("$output/1.jsonl" "$output/2.jsonl")
fi
z1 "${generate[@]}" --count "$last" --seed "${SEED:-3}" --difficulty 1-8 --output "$output/3.jsonl"
data+=("$output/3.jsonl")

# A byte-level BPE with Qwen2's rules for where words begin, or that of the model to go on from, in its folder. Renamed when
# it is whole.
changes=()
if [ -n "$from" ]; then
  changes=(--set model.from_scratch=null "model.from_pretrained=$output/tokenizer" optimizer.lr=0.006 optimizer.adamw_lr=0.002)
fi
if [ ! -d "$output/tokenizer" ]; then
  if [ -n "$from" ]; then
    "$python" -m z1_training.dequantize "$from" --output "$output/tokenizer.partial"
  else
    "$python" -m z1_training.tokenizer --data "${data[@]}" --size 832 ${tokenizer_options[@]+"${tokenizer_options[@]}"} \
      --output "$output/tokenizer.partial"
  fi
  mv "$output/tokenizer.partial" "$output/tokenizer"
fi

is_finished() { grep -qs '"finished": true' "$output/run/run.json"; }
if ! is_finished; then
  "$python" -m z1_training.train "training/configs/$name.yaml" --data "${data[@]}" --tokenizer "$output/tokenizer" \
    --output "$output/run" ${changes[@]+"${changes[@]}"} "$@"
fi
if ! is_finished; then
  echo "The run is not finished; call again to go on: $output/run/run.json" >&2
  exit 75
fi

if [ ! -f "$output/$name.gguf" ]; then
  z1 convert "$output/run/model" --type f16 --thinking-window 1024 --output "$output/$name.gguf"
fi

# One request and one thread at a time, so that the results are the same every time.
z1 eval --model "$output/$name.gguf" --task heldout --count "$items" --seed 1 "${eval_options[@]}" \
  --windows 0,12.5%,25%,50%,100%,inf --threads 1 --max-tokens 32 --output "$output/eval"
