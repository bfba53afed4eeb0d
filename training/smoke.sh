#!/usr/bin/env bash
# Every part for seconds, on few pictures, in a folder of its own: whether it runs, not what it learns.
# usage: bash smoke.sh [WORK]
set -eu
cd "$(dirname "$0")"
WORK=${1:-$(mktemp -d)}
export WORLD=${WORLD:-wide} IMAGES=96 VAE=0.05 UNET=0.05 DECODER=0.05 CLASSIFIER=0.05 PREVIEW=0.05 CONTROL=0.05 INPAINT=0.05
export DISTILL=0.05 VAE_BATCH=4 VAE_CROP=64 UNET_BATCH=8 COMPILE= UNSEEN=64 PROMPTS=8 BATCH=8
bash train_all.sh "$WORK"
bash train_all.sh "$WORK" | grep -q "^\[.*\] done" # nothing is done twice
THREADS=1 python3 -m torch.distributed.run --nproc-per-node 2 -m train.unet "$WORK/data" --out "$WORK/together" --minutes 0.05 --batch 4 --muon
python3 -m train.lora "$WORK/data" --model "$WORK/model" --look blueprint --out "$WORK/lora" --count 32 --batch 4 --minutes 0.05
echo "smoke: $WORK"
