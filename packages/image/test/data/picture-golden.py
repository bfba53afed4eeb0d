"""Writes picture-golden.json next to this file: PNG and JPEG files with their pixels as Pillow decodes them, images scaled by
Pillow and diffusers, and the tensors that diffusers makes of images and masks. All bytes are in Base64.
`python picture-golden.py`, with diffusers, torch, NumPy and Pillow."""
import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image, ImageOps, __version__, features

random = np.random.default_rng(0)
b64 = lambda data: base64.b64encode(bytes(data)).decode()
pixels = lambda image: {"width": image.width, "height": image.height, "rgba": b64(image.convert("RGBA").tobytes())}
saved = lambda image, kind, **options: (image.save(buffer := io.BytesIO(), kind, **options), buffer.getvalue())[1]
opened = lambda file: Image.open(io.BytesIO(file))


def picture(width, height, channels=3):
    """Gradients, an edge and a little noise, where JPEG decoders and filters differ."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [255 * x / width, 255 * y / height, 255 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2), 255 * (x + y) / (width + height)]
    image = np.stack(planes[:channels], -1) + random.normal(0, 20, (height, width, channels))
    return Image.fromarray(image.clip(0, 255).astype(np.uint8), {1: "L", 3: "RGB", 4: "RGBA"}[channels]) if channels > 1 else Image.fromarray(image[..., 0].clip(0, 255).astype(np.uint8))


def png(width, height, depth, colour, rows, interlaced=0):
    """A PNG file with unfiltered rows, for formats that Pillow cannot write."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows), 9)) + chunk(b"IEND", b"")


rgb, rgba, gray = picture(11, 7), picture(11, 7, 4), picture(11, 7, 1)
few = lambda colours: rgb.quantize(colours)
wide = random.integers(0, 65536, (5, 4, 4)).astype(">u2")
adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
array = np.array(rgb)
pngs = {
    "RGB": saved(rgb, "png"),
    "RGBA": saved(rgba, "png"),
    "gray": saved(gray, "png"),
    "gray and alpha": saved(rgba.convert("LA"), "png"),
    "1 bit": saved(gray.convert("1"), "png"),
    "palette of 1 bit": saved(few(2), "png"),
    "palette of 2 bits": saved(few(4), "png"),
    "palette of 4 bits": saved(few(9), "png"),
    "palette of 8 bits": saved(few(40), "png"),
    "palette with alpha": saved(few(9), "png", transparency=bytes([0, 100, 200])),
    "RGB with a clear colour": saved(rgb, "png", transparency=rgb.getpixel((3, 2))),
    "gray with a clear level": saved(gray, "png", transparency=gray.getpixel((3, 2))),
    "gray of 2 bits": png(5, 2, 2, 0, [[0b00011011, 0b01000000], [0b11100100, 0b10000000]]),
    "gray of 4 bits": png(3, 2, 4, 0, [[0x0F, 0x50], [0xA3, 0x70]]),
    "RGB of 16 bits": png(4, 5, 16, 2, [row[:, :3].tobytes() for row in wide]),
    "RGBA of 16 bits": png(4, 5, 16, 6, [row.tobytes() for row in wide]),
    "interlaced": png(11, 7, 8, 2, [row.tobytes() for x, y, right, down in adam7 for row in array[y::down, x::right] if row.size], 1),
}
gray16 = png(4, 5, 16, 0, [row[:, 0].tobytes() for row in wide])
# Pillow clips 16-bit gray at 255, so almost everything is white. In colour it keeps the upper 8 bits.
upper = Image.fromarray((wide[:, :, 0] >> 8).astype(np.uint8))

jpegs = {
    f"{name}, {kind}": saved(image, "jpeg", **options, progressive=kind == "progressive")
    for name, image, options in [
        ("4:4:4", picture(37, 21), {"quality": 90, "subsampling": 0}),
        ("4:2:2", picture(37, 21), {"quality": 75, "subsampling": 1}),
        ("4:2:0", picture(37, 21), {"quality": 75, "subsampling": 2}),
        ("4:2:0 of even size", picture(32, 16), {"quality": 40, "subsampling": 2, "optimize": True}),
        ("4:2:0 of one column", picture(1, 9), {"quality": 90, "subsampling": 2}),
        ("4:2:0 of two columns", picture(2, 3), {"quality": 90, "subsampling": 2}),
        ("gray", picture(19, 10, 1), {"quality": 80}),
        ("restarts", picture(50, 18), {"quality": 60, "restart_marker_blocks": 1}),
        ("RGB", picture(17, 9), {"quality": 90, "keep_rgb": True}),
        ("CMYK", picture(17, 9, 4).convert("RGB").convert("CMYK"), {"quality": 90}),
    ]
    for kind in ["baseline", "progressive"]
}


def resampled(file, width, height, sampling):
    """The same blocks with sampling factors that Pillow cannot write: scrambled, but complete."""
    at = file.index(b"\xff\xc0")
    return file[: at + 5] + struct.pack(">HH", height, width) + file[at + 9 : at + 11] + bytes([sampling]) + file[at + 12 :]


jpegs["4:4:0"] = resampled(saved(picture(32, 24), "jpeg", subsampling=1), 21, 30, 0x12)
jpegs["4:1:1"] = resampled(saved(picture(32, 32), "jpeg", subsampling=2), 61, 13, 0x41)
jpegs["1 x 4"] = resampled(saved(picture(32, 32), "jpeg", subsampling=2), 15, 60, 0x14)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    jpegs[f"orientation {orientation}"] = saved(picture(12, 5, 1), "jpeg", quality=70, exif=exif)
# As cameras write it: EXIF first, in big endian.
tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
plain = saved(picture(12, 5, 1), "jpeg", quality=70)
app1 = b"Exif\0\0" + tiff
jpegs["orientation in big endian"] = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + plain[2:]

exif = Image.Exif()
exif[0x0112] = 8
pngs["orientation 8"] = saved(rgb, "png", exif=exif)

sources = {"RGB": picture(23, 17), "RGBA": picture(23, 17, 4)}
resized = [
    {"of": of, **pixels(sources[of].resize(size, Image.Resampling.LANCZOS))}
    for of in sources
    for size in [(8, 8), (23, 9), (16, 17), (40, 31), (1, 1), (24, 16)]
]
processor = VaeImageProcessor()
modes = {"stretch": "default", "cover": "crop", "contain": "fill"}
fitted = [
    {"fit": fit, **pixels(processor.resize(sources["RGB"], height, width, mode))}
    for fit, mode in modes.items()
    for width, height in [(16, 16), (24, 16), (32, 8), (8, 24), (40, 40), (24, 18)]
]

levels = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(3, 1).reshape(16, 16, 3))
masks = {"noise": picture(24, 16), "levels": levels}
mask_processor = VaeImageProcessor(do_normalize=False, do_binarize=True, do_convert_grayscale=True)
masked = {name: mask_processor.preprocess(mask) for name, mask in masks.items()}
interpolated = [
    {"height": height, "width": width, "values": torch.nn.functional.interpolate(masked["noise"], size=(height, width)).flatten().int().tolist()}
    for height, width in [(2, 3), (4, 6), (5, 7), (16, 24), (32, 30)]
]

path = pathlib.Path(__file__).with_name("picture-golden.json")
golden = {
    "pillow": __version__,
    "jpeg": features.version("jpg"),
    "pngs": {name: {"file": b64(file), **pixels(ImageOps.exif_transpose(opened(file)))} for name, file in pngs.items()} | {"gray of 16 bits": {"file": b64(gray16), **pixels(upper)}},
    "jpegs": {name: {"file": b64(file), **pixels(ImageOps.exif_transpose(opened(file)))} for name, file in jpegs.items()},
    "sources": {name: pixels(image) for name, image in sources.items()},
    "resized": resized,
    "fitted": fitted,
    "onWhite": pixels(Image.alpha_composite(Image.new("RGBA", sources["RGBA"].size, "white"), sources["RGBA"])),
    "tensor": {"of": pixels(levels), "values": processor.preprocess(levels).flatten().tolist()},
    "masks": {name: {"of": pixels(mask), "values": masked[name].flatten().int().tolist()} for name, mask in masks.items()},
    "interpolated": interpolated,
}
path.write_text(json.dumps(golden) + "\n")
