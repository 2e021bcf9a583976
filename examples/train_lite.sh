#!/usr/bin/env bash
# Train `lite` from end to end, unattended and without a network: train, write a model folder, choose its
# thresholds, measure it, compare it with the model in the package.
#
#   examples/train_lite.sh DATA [RUN]
#
# DATA holds train-*.tar and val.tar (docs/training.md says what is in them), files of at most 50 MB. RUN (default
# runs/lite) receives everything, files of at most 15 MB. Kill it at any moment and start it again: it goes on from
# the last checkpoint.
#
#   MINUTES=17       training time, resumed runs counted together (the whole script: 25 minutes with a GPU)
#   CACHE=cache      where the decoded shards are kept, 4.5 GB
#   INIT=lite        weights to start from: a model's name or folder, a run's model.pt, or "imagenet"
#   PYTHON=python3   an interpreter with `pip install 'anymask[train,evaluate]'`
set -euo pipefail
data=${1:?usage: examples/train_lite.sh DATA [RUN]}
run=${2:-runs/lite}
minutes=${MINUTES:-17}
python=${PYTHON:-python3}
version=${VERSION:-0.0.0+$(date +%Y%m%d)}
init=${INIT:-lite}

# 1. Train. The first 60 % of the time sees small views, which cost less; the rest sees them at nearly the size the
#    model is used at. With a GPU: large batches, views prepared by the other cores, everything trained nearly from
#    the start. Without one: 8 pictures a step, the costly high-resolution blocks of the backbone left as they are.
#    Five rounds and a discriminator are what paid in short runs (docs/log.md).
common=(minutes="$minutes" steps=1000000 small_size=320 small_share=0.6 image_size=384 save_every=200
        rounds=5 adversarial_weight=0.05)
if "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    workers=$("$python" -c 'import os; print(max(1, len(os.sched_getaffinity(0)) - 2))')
    machine=(images=32 masks=4 lr=1.5e-3 backbone_lr=2e-4 warmup=300 frozen_share=0.1 ema=0.999
             workers="$workers")
else
    machine=(images=8 masks=4 frozen_share=0.3 frozen_blocks=7)
fi
start=()
if [[ $init != imagenet ]]; then # trained weights: nothing is frozen for a start, and half of the rate
    start=(--init "$init")
    machine+=(frozen_share=0 lr=7e-4 backbone_lr=1.5e-4)
fi
"$python" -m anymask.train "$run" --train "$data"/train-*.tar --val "$data/val.tar" --cache "${CACHE:-cache}" \
    "${start[@]}" --set "${common[@]}" "${machine[@]}"

# 2. The averaged weights as a model folder, with thresholds of everything mode chosen on pictures not trained on.
"$python" -m anymask.release.trained "$run/model.pt" "$run/model" --version "$version" --input-size 416
"$python" -m anymask.release.calibrate "$run/model" --data "$data/val.tar" --write

# 3. Measure it and the model in the package on the same masks, and compare them mask by mask.
for model in "$run/model" lite; do
    "$python" -m anymask evaluate interactive --model "$model" "$data/val.tar" \
        -o "$run/report-$(basename "$model").json" --html "$run/report-$(basename "$model").html"
done
"$python" -m anymask evaluate compare "$run/report-lite.json" "$run/report-model.json" --html "$run/compare.html"
echo "model: $run/model   page: $run/compare.html"
