#!/usr/bin/env bash
# Everything in one go, from drawing to a packed model with its figures. Run again, it goes on where it stopped.
#
# usage: [NAME=value ...] bash train_all.sh WORK        WORK: a folder for everything that it makes
#
# WORLD      core or wide (data/world.py)                     IMAGES   pictures to draw
# FROM       a model folder to go on from: its words and latents are kept, U-Net and decoder trained further
# VAE UNET DECODER CLASSIFIER PREVIEW CONTROL INPAINT DISTILL  minutes of each; 0 leaves a part out. Without a classifier of
#            its own it measures by the committed one, which knows the world core
# VAE_BATCH UNET_BATCH BATCH COMPILE                           defaults suit one large GPU; COMPILE= where a GPU has no compiler
# UNSEEN PROMPTS  pictures and prompts to measure on
# EMOJI_FONT the font's file, where Debian's fonts-noto-color-emoji is not installed (README.md)
set -eu
mkdir -p "${1:?usage: train_all.sh WORK}"
W=$(realpath "$1")
FROM=${FROM:+$(realpath "$FROM")}
cd "$(dirname "$0")"
export PYTHONUNBUFFERED=1 PYTHONWARNINGS=ignore TQDM_DISABLE=1
if [ -f font/NotoColorEmoji.ttf ]; then export EMOJI_FONT=${EMOJI_FONT:-font/NotoColorEmoji.ttf}; fi
if ls wheels/*.whl > /dev/null 2>&1; then
  python3 -m pip install -q --no-index --no-deps --target "$W/site" wheels/*.whl 2> /dev/null
  export PYTHONPATH=$W/site
fi
WORLD=${WORLD:-wide} IMAGES=${IMAGES:-120000} UNSEEN=${UNSEEN:-4000} PROMPTS=${PROMPTS:-1000}
COMPILE=${COMPILE---compile}
UNET_OPTIONS="--batch ${UNET_BATCH:-512} --lr ${UNET_LR:-1e-3} --muon --average 0.9995 --checkpoint 1"
VAE_OPTIONS="--batch ${VAE_BATCH:-64} --crop ${VAE_CROP:-128} --lr ${VAE_LR:-8e-4} --muon --checkpoint 1"

# once NAME COMMAND...: runs it, unless it was finished before.
once() {
  local name=$1
  shift
  if [ -e "$W/$name.done" ]; then return; fi
  echo "[$(date +%T)] $name"
  "$@"
  touch "$W/$name.done"
}

once draw python3 -m data.draw "$W/data" --count "$IMAGES" --world "$WORLD"
once draw-unseen python3 -m data.draw "$W/unseen" --count $UNSEEN --first 10000000 --world "$WORLD"
if [ -n "$FROM" ]; then
  VAE_DIR=$FROM/vae TOKENIZER=$FROM/tokenizer
else
  VAE_DIR=$W/vae TOKENIZER=$W/tokenizer
  once tokenizer python3 -m train.tokenizer "$TOKENIZER" "$W/data.txt"
  once vae python3 -m train.vae "$W/data" --out "$VAE_DIR" --minutes "${VAE:-5}" --share "pixel art=0.12" $VAE_OPTIONS $COMPILE
fi
once latents python3 -m train.latents "$W/data" --vae "$VAE_DIR" --tokenizer "$TOKENIZER"
once unet python3 -m train.unet "$W/data" --out "$W/unet" ${FROM:+--from "$FROM"} --minutes "${UNET:-10}" $UNET_OPTIONS $COMPILE
if [ "${DECODER:-2}" != 0 ]; then
  once decoder python3 -m train.decoder "$W/data" --out "$W/decoder" --from "$VAE_DIR" \
    --restore "$W/unet" --minutes "${DECODER:-2}" $VAE_OPTIONS $COMPILE
  VAE_DIR=$W/decoder
fi
once export python3 export.py "$W/model" --unet "$W/unet" --vae "$VAE_DIR" --tokenizer "$TOKENIZER"
once sheet python3 -m evaluate.sheet "$W/model" "$W/sheet.jpg" --world "$WORLD"
once psnr python3 -m evaluate.vae "$W/model/vae" --data "$W/unseen"
MEASURED_BY=classifier
if [ "${CLASSIFIER:-2}" != 0 ]; then
  MEASURED_BY=$W/classifier
  once classifier python3 -m train.classifier "$W/data" --unseen "$W/unseen" --out "$W/classifier" --world "$WORLD" \
    --minutes "${CLASSIFIER:-2}" --batch ${BATCH:-256} --checkpoint 1
fi
MEASURE="python3 -m evaluate.faithful $W/model --classifier $MEASURED_BY --world $WORLD --trained $IMAGES --count $PROMPTS"
once measure $MEASURE --out "$W/faithful.json" --guidance 5 1 3 7.5 --steps 20 5 10 50
once measure-held-out $MEASURE --out "$W/held-out.json" --split held-out
if [ "${PREVIEW:-1}" != 0 ]; then
  once preview python3 -m train.decoder "$W/data" --tiny --out "$W/preview" --minutes "${PREVIEW:-1}" \
    --batch ${BATCH:-256} --lr 1e-3 --checkpoint 1
fi
if [ "${CONTROL:-2}" != 0 ]; then
  once control python3 -m train.control "$W/data" --model "$W/model" --out "$W/control" --minutes "${CONTROL:-2}" \
    --batch ${BATCH:-256} --muon --checkpoint 1
  once edges python3 -m evaluate.edges "$W/model" --control "$W/control" --data "$W/unseen" --count $(( UNSEEN / 20 ))
fi
if [ "${INPAINT:-2}" != 0 ]; then
  once inpaint python3 -m train.inpaint "$W/data" --model "$W/model" --out "$W/inpaint" --minutes "${INPAINT:-2}" --muon \
    --batch ${BATCH:-256} --checkpoint 1
  once repaint python3 -m evaluate.inpaint "$W/model" --unet "$W/inpaint/unet" --data "$W/unseen" \
    --classifier "$MEASURED_BY" --count $(( UNSEEN / 20 ))
fi
if [ "${DISTILL:-2}" != 0 ]; then
  once distill python3 -m train.distill "$W/data" --model "$W/model" --out "$W/distill" --minutes "${DISTILL:-2}" \
    --batch ${BATCH:-256} --checkpoint 1
  once measure-four $MEASURE --out "$W/four.json" --lcm "$W/distill/lcm.safetensors" --steps 4 --guidance 1
fi
echo "[$(date +%T)] done: $W/model"
