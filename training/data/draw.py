"""Draws plans.

usage: python -m data.draw OUT --count 24000 [--first 0] [--world core] [--split train]
writes OUT.npy [count, 128, 128, 3] uint8, OUT.txt (one caption a line), OUT.json (the plans)
"""
import argparse
import json
import random
from dataclasses import asdict
from functools import partial
from multiprocessing import Pool

import numpy as np
from PIL import Image, ImageOps

from .captions import caption
from .glyphs import glyph, recolour
from .objects import COLOURS
from .plan import choose
from .scenes import SCENES, SIDE, near
from .styles import STYLES
from .weather import WEATHER

# Few sizes, and places on the latent grid of 8 pixels: an object then has few latent patterns to learn.
PIXELS = {'': 80, 'big': 112, 'small': 48}
SEVERAL = {2: (56, (8, 64)), 3: (40, (8, 48, 88))}  # side, and where each one begins
GRID = 8


def snapped(y):
    return GRID * round(y / GRID)


def layout(plan, feet):
    """Where each thing goes: (thing, side, x, y), in the order of drawing."""
    def standing(side):
        return snapped((SIDE - side) / 2 if feet is None else feet - side + 2)

    first, second = plan.things[0], plan.things[-1]
    if plan.relation in ('and', 'next to'):
        side = 56
        return [(first, side, 8, standing(side)), (second, side, 64, standing(side))]
    if plan.relation == 'above':
        return [(first, 48, 40, 8), (second, 56, 36, max(64, standing(56)))]
    if plan.relation == 'on top of':
        under = max(64, standing(56))
        return [(second, 56, 36, under), (first, 56, 36, under - 48)]
    if plan.count > 1:
        side, xs = SEVERAL[plan.count]
        return [(first, side, x, standing(side)) for x in xs]
    side = PIXELS[first.size]
    x = {'left': 0, 'right': SIDE - side, '': (SIDE - side) // 2}[plan.side]
    return [(first, side, x, standing(side))]


def draw(plan):
    r = random.Random(plan.seed + 2)
    if plan.scene:
        image, feet = SCENES[plan.scene](r)
    else:
        ground = near(COLOURS[plan.background], r, 10) if plan.background else (255, 255, 255)
        image, feet = Image.new('RGB', (SIDE, SIDE), ground), None
    for thing, side, x, y in layout(plan, feet):
        drawing = glyph(thing.name)
        if thing.colour:
            drawing = recolour(drawing, near(COLOURS[thing.colour], r, 10))
        if plan.mirrored:
            drawing = ImageOps.mirror(drawing)
        drawing = drawing.resize((side, side), Image.LANCZOS)
        image.paste(drawing, (x, y), drawing)
    if plan.weather:
        image = WEATHER[plan.weather](image, r)
    if plan.style:
        image = STYLES[plan.style](image, r)
    return image.convert('RGB')


def render(seed, world, split):
    plan = choose(seed, world, split)
    return np.asarray(draw(plan)), caption(plan), asdict(plan)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('out')
    a.add_argument('--count', type=int, default=24000)
    a.add_argument('--first', type=int, default=0, help='first seed; evaluation uses those from 10 million on')
    a.add_argument('--world', default='core')
    a.add_argument('--split', default='train', choices=['train', 'held-out'])
    a = a.parse_args()
    with Pool() as pool:
        seeds = range(a.first, a.first + a.count)
        rows = pool.map(partial(render, world=a.world, split=a.split), seeds, chunksize=64)
    pictures, captions, plans = zip(*rows)
    np.save(a.out + '.npy', np.stack(pictures))
    with open(a.out + '.txt', 'w') as file:
        file.write('\n'.join(captions))
    with open(a.out + '.json', 'w') as file:
        json.dump(plans, file)


if __name__ == '__main__':
    main()
