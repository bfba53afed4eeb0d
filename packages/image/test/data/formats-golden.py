"""Writes formats-golden.json: files by Pillow, with A1111's settings as EXIF (python formats-golden.py; Pillow 13)."""

import base64
import io
import json

from PIL import Image, ImageOps

TEXT = "a car, 汽车 \U0001f697\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7.0, Seed: 42, Size: 12x8"


def picture():
    image = Image.new("RGB", (12, 8))
    image.putdata([(20 * x, 30 * y, 100) for y in range(8) for x in range(12)])
    return image


def exif(comment=None, orientation=None, comfy=None):
    data = Image.Exif()
    data.endian = ">"
    if comment is not None:
        data.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + comment.encode("utf-16be")
    if orientation is not None:
        data[0x0112] = orientation
    if comfy is not None:
        data[0x010F] = comfy
    return data.tobytes()


def file(kind, **options):
    out = io.BytesIO()
    if kind != "JPEG":
        options["lossless" if kind == "WEBP" else "quality"] = True if kind == "WEBP" else 95
    picture().save(out, kind, **options)
    return base64.b64encode(out.getvalue()).decode()


def rgb(text):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(base64.b64decode(text)))).convert("RGB")
    return {"size": image.size, "rgb": base64.b64encode(image.tobytes()).decode()}


kinds = {"JPEG": "jpeg", "WEBP": "webp", "AVIF": "avif"}
golden = {
    "text": TEXT,
    "settings": {name: file(kind, exif=exif(TEXT)) for kind, name in kinds.items()},
    "comfy": file("WEBP", exif=exif(comfy='prompt:{"1": {"class_type": "A", "inputs": {}}}')),
    "turned": {
        f"{name} {orientation}": {"file": data, **rgb(data)}
        for kind, name in kinds.items()
        if kind != "JPEG"
        for orientation in range(1, 9)
        for data in [file(kind, exif=exif(orientation=orientation))]
    },
}
with open("formats-golden.json", "w") as out:
    json.dump(golden, out)
    out.write("\n")
