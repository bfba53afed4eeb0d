"""Weather: drawn over scene and objects."""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .scenes import SIDE


def rain(image, r):
    image = Image.blend(image, Image.new('RGB', image.size, (90, 100, 120)), 0.3)
    d = ImageDraw.Draw(image)
    for _ in range(70):
        x, y = r.randint(0, SIDE), r.randint(-8, SIDE)
        d.line([(x, y), (x - 3, y + 9)], fill=(200, 215, 235))
    return image


def snowfall(image, r):
    image = Image.blend(image, Image.new('RGB', image.size, (225, 232, 240)), 0.25)
    d = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = r.randint(0, SIDE), r.randint(0, SIDE)
        d.ellipse([x, y, x + 3, y + 3], fill=(255, 255, 255))
    return image


def fog(image, r):
    pale = Image.new('RGB', image.size, (222, 226, 230))
    return Image.blend(image.filter(ImageFilter.GaussianBlur(1)), pale, 0.5)


def storm(image, r):
    image = Image.fromarray((np.asarray(image) * 0.55).astype(np.uint8))
    d = ImageDraw.Draw(image)
    x, y = r.randint(16, 112), 0
    for _ in range(5):
        to = (x + r.randint(-12, 12), y + r.randint(9, 14))
        d.line([(x, y), to], fill=(255, 250, 190), width=2)
        x, y = to
    return image


WEATHER = {'in the rain': rain, 'in falling snow': snowfall, 'in the fog': fog, 'in a thunderstorm': storm}
