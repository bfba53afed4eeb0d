"""Writes image-golden.json next to this file: float images rounded by diffusers, and PNG files written by Pillow.
`python image-golden.py`, with diffusers, torch and Pillow."""
import base64
import io
import json
import pathlib

import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image, PngImagePlugin, __version__

# Random colours, some outside of -1 to 1, and values near the halves between two levels.
noise = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0)) * 0.8
levels = (torch.arange(105).reshape(3, 5, 7) * 2.43 // 1 + 0.5) / 255 * 2 - 1
pictures = []
for picture in [noise, levels]:
    output = VaeImageProcessor().postprocess(picture[None], output_type="np")[0]
    pil = VaeImageProcessor.numpy_to_pil(output)[0]
    pictures.append({"values": picture.flatten().tolist(), "rgb": list(pil.tobytes())})

text = "a car, 汽车 🚗\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7.0, Seed: 42, Size: 1x1"
latin = text.replace("汽车 🚗", "café")
files = {}
for name, add in {
    "tEXt": lambda info: info.add_text("parameters", latin),
    "zTXt": lambda info: info.add_text("parameters", latin, zip=True),
    "iTXt": lambda info: info.add_text("parameters", text),
    "iTXt compressed": lambda info: info.add_itxt("parameters", text, "zh", "设置", zip=True),
    "none": lambda info: info.add_text("Software", "something else"),
}.items():
    info = PngImagePlugin.PngInfo()
    add(info)
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "png", pnginfo=info)
    files[name] = base64.b64encode(buffer.getvalue()).decode()

path = pathlib.Path(__file__).with_name("image-golden.json")
path.write_text(json.dumps({"pillow": __version__, "pictures": pictures, "files": files, "text": text, "latin": latin}) + "\n")
