"""Objects as pictures: a character of the emoji font, cropped to a square, and recoloured."""
import os
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .objects import OBJECTS

FONTS = ('/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf',)  # Debian's fonts-noto-color-emoji
BITMAP_SIZE = 109  # the one size that the font's bitmaps come in


@lru_cache
def font():
    for path in (os.environ.get('EMOJI_FONT'), *FONTS):
        if path and os.path.exists(path):
            return ImageFont.truetype(path, BITMAP_SIZE)
    raise SystemExit('No emoji font: apt-get install fonts-noto-color-emoji, or EMOJI_FONT=/path/NotoColorEmoji.ttf')


@lru_cache(maxsize=None)
def glyph(name):
    """The object on a transparent square, as large as the font has it."""
    image = Image.new('RGBA', (160, 160))
    ImageDraw.Draw(image).text((12, 16), OBJECTS[name], font=font(), embedded_color=True)
    image = image.crop(image.getbbox())
    side = max(image.size)
    square = Image.new('RGBA', (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def recolour(image, colour):
    """The same drawing in another colour: its saturated parts, or all but its outlines and highlights where it has few."""
    pixels = np.asarray(image).astype(np.float32)
    rgb, opaque = pixels[..., :3] / 255, pixels[..., 3] > 128
    value = rgb.max(-1)
    saturation = (value - rgb.min(-1)) / (value + 1e-6)
    luma = rgb @ np.array([0.3, 0.59, 0.11], np.float32)
    mask = np.clip((saturation - 0.12) / 0.2, 0, 1)
    if mask[opaque].mean() < 0.35:
        mask = np.clip((value - 0.18) / 0.15, 0, 1) * np.clip((1.02 - luma) / 0.06, 0, 1)
    reference = max(np.percentile(luma[opaque], 60), 0.2)
    shade = np.clip(0.45 + 0.6 * luma / reference, 0.3, 1.35)[..., None]
    painted = np.clip(np.array(colour, np.float32) / 255 * shade, 0, 1)
    mixed = rgb * (1 - mask[..., None]) + painted * mask[..., None]
    return Image.fromarray(np.concatenate([np.clip(mixed * 255, 0, 255), pixels[..., 3:]], -1).astype(np.uint8), 'RGBA')
