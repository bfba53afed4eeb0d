"""Styles: filters over the finished picture."""
import numpy as np
from PIL import Image, ImageFilter, ImageOps

from .scenes import SIDE


def grey(image):
    return np.asarray(ImageOps.grayscale(image)).astype(np.float32)


def picture(pixels):
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def sci_fi(image, r):
    """Violet shadows, and edges that glow from cyan to magenta behind scan lines."""
    g = grey(image) / 255
    edges = np.asarray(ImageOps.grayscale(image).filter(ImageFilter.FIND_EDGES)).astype(np.float32) / 255
    dark = np.stack([0.10 + 0.25 * g**2 + 0.15 * g, 0.04 + 0.18 * g, 0.22 + 0.5 * g], -1)
    t = np.linspace(0, 1, SIDE)[:, None, None]
    glow = np.array([0.1, 1, 0.95]) * (1 - t) + np.array([1, 0.15, 0.85]) * t
    out = dark + np.clip(edges * 1.6, 0, 1)[..., None] * glow
    out[::4] *= 0.82
    return picture(np.clip(out, 0, 1) * 255)


def pixel_art(image, r):
    return ImageOps.posterize(image.resize((32, 32), Image.BOX), 4).resize((SIDE, SIDE), Image.NEAREST)


def sketch(image, r):
    """The colour dodge of a picture with its blurred negative: what is flat turns white."""
    g = ImageOps.grayscale(image)
    blurred = np.asarray(ImageOps.invert(g).filter(ImageFilter.GaussianBlur(4))).astype(np.float32)
    return picture(np.asarray(g).astype(np.float32) * 255 / (256 - blurred + 1e-3)).convert('RGB')


def old_photo(image, r):
    vignette = 1 - 0.35 * ((np.mgrid[:SIDE, :SIDE] - SIDE / 2) ** 2).sum(0) / (SIDE * SIDE / 2)
    g = grey(image) * vignette
    return picture(np.stack([g * 1.05 + 14, g * 0.86 + 6, g * 0.62], -1))


def watercolor(image, r):
    paint = np.asarray(image.filter(ImageFilter.MedianFilter(7)).filter(ImageFilter.SMOOTH)).astype(np.float32)
    blots = np.random.RandomState(r.randint(0, 2**31)).rand(8, 8) * 255
    wet = Image.fromarray(blots.astype(np.uint8)).resize((SIDE, SIDE), Image.BICUBIC)
    n = np.asarray(wet).astype(np.float32)[..., None] / 255
    return picture(paint * (0.78 + 0.14 * n) + 56 * (0.7 + 0.4 * n))


def black_and_white(image, r):
    return ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1).convert('RGB')


def comic(image, r):
    """Few flat colours, with black outlines."""
    flat = ImageOps.posterize(image.filter(ImageFilter.MedianFilter(5)), 2)
    edges = np.asarray(ImageOps.grayscale(image).filter(ImageFilter.FIND_EDGES)).astype(np.float32)
    return picture(np.asarray(flat).astype(np.float32) * 1.15 * (edges < 60)[..., None])


def neon(image, r):
    """Coloured outlines on black."""
    edges = np.asarray(image.filter(ImageFilter.FIND_EDGES).filter(ImageFilter.GaussianBlur(1))).astype(np.float32)
    return picture(edges * 2.4 + np.asarray(image).astype(np.float32) * 0.12)


CORE_STYLES = {
    'sci-fi style': sci_fi, 'pixel art': pixel_art, 'pencil sketch': sketch, 'old photo': old_photo,
    'watercolor painting': watercolor,
}
STYLES = {**CORE_STYLES, 'black and white photo': black_and_white, 'comic book style': comic, 'neon art': neon}
KEEPS_COLOUR = ('', 'pixel art', 'watercolor painting', 'comic book style')
