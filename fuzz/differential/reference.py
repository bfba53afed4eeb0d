"""Reads with Python's own readers what differential.js sends: a line of JSON in, a line of JSON out."""

import base64
import hashlib
import io
import json
import resource
import signal
import sys
import warnings

import safetensors
import torch
from PIL import Image, ImageOps
from tokenizers import Tokenizer

MEMORY = 12 * 2**30
SECONDS = 10


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def read_safetensors(data):
    return {
        name: [info["dtype"], list(info["shape"]), digest(info["data"])] for name, info in safetensors.deserialize(data)
    }


def read_png(data):
    image = Image.open(io.BytesIO(data), formats=["PNG"])
    image.load()
    mode = image.mode
    image = ImageOps.exif_transpose(image).convert("RGBA")
    return {"size": list(image.size), "pixels": digest(image.tobytes()), "mode": mode}


def tensors_in(value, prefix=()):
    if isinstance(value, torch.Tensor):
        yield ".".join(prefix), value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from tensors_in(item, (*prefix, str(key)))


def read_pickle(data):
    value = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    if isinstance(value, dict) and isinstance(value.get("state_dict"), dict):
        value = value["state_dict"]
    return {
        name: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)] for name, tensor in tensors_in(value)
    }


def read_tokenizer(data, texts):
    tokenizer = Tokenizer.from_str(data.decode())
    return {"ids": [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]}


def answer(request):
    data = base64.b64decode(request["bytes"])
    try:
        signal.alarm(SECONDS)
        if request["kind"] == "tokenizer":
            return {"value": read_tokenizer(data, request["texts"])}
        reader = {"safetensors": read_safetensors, "png": read_png, "pickle": read_pickle}[request["kind"]]
        return {"value": reader(data)}
    # The readers panic and overflow too, which is no Exception.
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        text = f"{type(error).__name__}: {error}"
        return {"error": text if len(text) < 400 else text[:200] + text[-200:]}
    finally:
        signal.alarm(0)


def too_long(*_):
    raise TimeoutError("the reader takes too long")


signal.signal(signal.SIGALRM, too_long)
resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
warnings.simplefilter("ignore")
torch.set_num_threads(1)
print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
