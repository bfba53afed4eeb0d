"""A sheet of pictures with their prompts: the first of the evaluation's, not chosen, or those given.

usage: python -m evaluate.sheet MODEL OUT.jpg [--count 40] [--prompts 'a small cat' ...] [--steps 20] [--guidance 5]
"""
import argparse
import textwrap

from PIL import Image, ImageDraw, ImageFont

from train.common import start

from .prompts import unseen
from .sample import Model

SIDE, GAP, LINE = 128, 6, 12


def sheet(pictures, captions, columns):
    rows = -(-len(pictures) // columns)
    width, height = SIDE + GAP, SIDE + 3 * LINE + GAP
    page = Image.new('RGB', (columns * width + GAP, rows * height + GAP), (255, 255, 255))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(10)
    for i, (picture, words) in enumerate(zip(pictures, captions)):
        x, y = GAP + i % columns * width, GAP + i // columns * height
        page.paste(Image.fromarray(picture), (x, y))
        for k, line in enumerate(textwrap.wrap(words, 24)[:3]):
            pen.text((x, y + SIDE + k * LINE), line, fill=(40, 40, 40), font=font)
    return page


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('model')
    a.add_argument('out')
    a.add_argument('--count', type=int, default=40)
    a.add_argument('--prompts', nargs='+')
    a.add_argument('--world', default='core')
    a.add_argument('--lcm', help='a LoRA of latent consistency to draw with')
    a.add_argument('--steps', type=int, default=20)
    a.add_argument('--guidance', type=float, default=5.0)
    a.add_argument('--columns', type=int, default=8)
    a = a.parse_args()
    start()
    prompts = a.prompts if a.prompts else [words for _, words in unseen(a.count, a.world)]
    pictures = Model(a.model, a.lcm).draw(prompts, range(len(prompts)), a.steps, a.guidance)
    sheet(pictures, prompts, a.columns).save(a.out, quality=75, progressive=True)


if __name__ == '__main__':
    main()
