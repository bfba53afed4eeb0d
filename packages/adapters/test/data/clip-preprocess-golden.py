"""Writes clip-preprocess-golden.json next to this file: small images of many sizes through transformers'
CLIPImageProcessor, as Base64 of float32. `python clip-preprocess-golden.py`, with transformers, NumPy and Pillow, but without
torchvision, which rounds differently from Pillow when scaling."""
import base64
import json
import pathlib

import numpy as np
from PIL import Image, __version__
from transformers import CLIPImageProcessorPil

random = np.random.default_rng(0)
b64 = lambda data: base64.b64encode(bytes(data)).decode()


def picture(width, height):
    """Gradients, an edge and noise."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [255 * x / width, 255 * y / height, 255 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2)]
    return Image.fromarray((np.stack(planes, -1) + random.normal(0, 30, (height, width, 3))).clip(0, 255).astype(np.uint8))


square = lambda size: {"size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}}
cases = [
    *[(*size, square(8)) for size in [(8, 8), (9, 7), (16, 8), (5, 40), (41, 6), (3, 3), (1, 2), (30, 31), (64, 48), (12, 61)]],
    (23, 17, square(7)),
    (17, 23, {"size": {"shortest_edge": 12}, "crop_size": {"height": 7, "width": 16}}),
    (17, 23, {"size": {"height": 9, "width": 14}, "crop_size": {"height": 10, "width": 11}}),
    (10, 6, {"do_resize": False, "crop_size": {"height": 9, "width": 7}}),
    (6, 5, {"do_resize": False, "do_center_crop": False, "do_normalize": False}),
    (6, 5, {"do_resize": False, "do_center_crop": False, "do_rescale": False, "image_mean": [1, 2, 3], "image_std": [4, 5, 6]}),
]
golden = []
for width, height, config in cases:
    image = picture(width, height)
    values = CLIPImageProcessorPil(**config)(image, return_tensors="np").pixel_values
    golden.append({"width": width, "height": height, "rgba": b64(image.convert("RGBA").tobytes()), "config": config, "dims": values.shape, "values": b64(values.astype("<f4").tobytes())})

path = pathlib.Path(__file__).with_name("clip-preprocess-golden.json")
path.write_text(json.dumps({"pillow": __version__, "cases": golden}) + "\n")
