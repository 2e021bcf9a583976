#!/usr/bin/env bash
# Fine-tune `lite` on three kinds of pictures (one of them twice) and compare it with what it was: docs/finetune.md.
#
#   examples/finetune_three.sh DATA [OUT]
#
# DATA holds train-*.tar and val.tar (docs/training.md says what is in them). OUT (default runs/finetune) receives a model
# folder for each run, with its report.md and comparison.html. Kill it at any moment and start it again: it goes on.
#
#   STEPS=N        training steps (150, for neurites 100)
#   MODEL=name     what is tuned; lite@0.2.0, whose figures docs/finetune.md shows
#   PYTHON=python3 an interpreter with `pip install 'anymask[train]'`
set -euo pipefail
data=${1:?usage: examples/finetune_three.sh DATA [OUT]}
out=${2:-runs/finetune}
python=${PYTHON:-python3}
common=(--model "${MODEL:-lite@0.2.0}" --guard "$data/val.tar" --guard-pictures 60 --threads 1 --steps "${STEPS:-150}")
mkdir -p "$out"

tune() { # NAME ARGUMENTS...: exit code 1 says "not better", which is a result and no failure
    local name=$1
    shift
    "$python" -m anymask finetune "${common[@]}" -o "$out/$name" "$@" || [[ $? == 1 && -f $out/$name/report.md ]]
}

# Plants and industry: sources that lite never saw. Half of their pictures are held out.
tune plants "$data/val.tar" --keys '^carrot_weed-' --held-out 0.5
tune industrial "$data/val.tar" --keys '^nasa_superalloy-' --held-out 0.5
# Microscopy: neurites, never seen; and nuclei, which lite was trained on: 24 of those pictures, compared on val.tar's.
tune neurites "$data/val.tar" --keys '^isbi2012_em-' --held-out 0.5 --steps "${STEPS:-100}"
tune microscopy "$data"/train-*.tar --val "$data/val.tar" --keys '^dsb2018-' --shots 24

for name in plants industrial neurites microscopy; do sed -n 1,3p "$out/$name/report.md"; done
