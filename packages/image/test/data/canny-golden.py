"""Writes canny-golden.json next to this file: OpenCV's Canny edges of small images, one bit per pixel, as Base64.
`python canny-golden.py`, with NumPy and opencv-python-headless."""
import base64
import json
import pathlib

import cv2
import numpy as np

random = np.random.default_rng(0)
b64 = lambda data: base64.b64encode(bytes(data)).decode()
y, x = np.mgrid[0:40, 0:56]


def drawn():
    image = np.full((40, 56, 3), 40, np.uint8)
    cv2.circle(image, (20, 18), 12, (220, 60, 60), -1, cv2.LINE_AA)
    cv2.line(image, (2, 37), (53, 3), (60, 200, 90), 2, cv2.LINE_AA)
    cv2.rectangle(image, (34, 20), (50, 36), (70, 90, 180), 3)
    return image


pictures = {
    "noise": random.integers(0, 256, (23, 31, 3)).astype(np.uint8),
    "smooth noise": cv2.GaussianBlur(random.integers(0, 256, (40, 56, 3)).astype(np.uint8), (0, 0), 2),
    "blocks": random.integers(0, 256, (5, 7, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1),
    "slopes": np.stack([255 * x / 56, 255 * y / 40, 255 * (x + y) / 94], -1).astype(np.uint8),
    "gray slope and step": np.repeat((4 * x + 60 * (y > 20))[..., None], 3, -1).clip(0, 255).astype(np.uint8),
    "drawn": drawn(),
    "one row": random.integers(0, 256, (1, 24, 3)).astype(np.uint8),
    "one column": random.integers(0, 256, (24, 1, 3)).astype(np.uint8),
    "one pixel": np.full((1, 1, 3), 99, np.uint8),
    "equal colours": (random.integers(0, 2, (20, 20, 1)) * 255 * np.array([1, 1, 0])).astype(np.uint8),
}
cases = []
for name, image in pictures.items():
    for low, high in [(100, 200), (20.7, 60.2), (0, 0), (300, 900)]:
        for gray in [False, True]:
            edges = cv2.Canny(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if gray else image, low, high)
            cases.append({"of": name, "low": low, "high": high, "gray": gray, "edges": b64(np.packbits(edges > 0).tobytes())})
rgba = lambda image: np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
golden = {
    "opencv": cv2.__version__,
    "pictures": {name: {"width": image.shape[1], "height": image.shape[0], "rgba": b64(rgba(image).tobytes())} for name, image in pictures.items()},
    "cases": cases,
}
pathlib.Path(__file__).with_name("canny-golden.json").write_text(json.dumps(golden) + "\n")
