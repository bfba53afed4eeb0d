"""Whether drawings follow the edges that a ControlNet is given: those of unseen drawn pictures of one thing that is big, small
or to one side, which the prompts do not say.

usage: python -m evaluate.edges MODEL --control DIR --data DATA [--count 200] [--steps 20] [--guidance 5]
reads DATA.npy and DATA.json. Prints, with and without the ControlNet, how much of the given edges is within a pixel of an
edge of the drawing, and how much of the drawing's edges is within a pixel of a given one.
"""
import argparse

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel

from data.plan import read_plans
from train.common import DEVICE, start, to_device
from train.control import edges, loose_captions

from .sample import Model

BATCH = 25


class Controlled(Model):
    """Draws along `self.edges`, [n, 3, 128, 128] of 0 to 1, at full strength, with and without the prompt."""

    def __init__(self, folder, control):
        super().__init__(folder)
        self.control = to_device(ControlNetModel.from_pretrained(control)).eval()

    def predict(self, x, t, words):
        given = torch.cat([self.edges] * (len(x) // len(self.edges))).to(DEVICE)
        down, middle = self.control(x, t, words, given, return_dict=False)
        return self.unet(x, t, words, down_block_additional_residuals=down, mid_block_additional_residual=middle).sample


def followed(of, by):
    """The share of `of`'s edges that are within a pixel of one of `by`'s: both bool [n, 128, 128]."""
    wide = [cv2.dilate(b.astype(np.uint8), np.ones((3, 3))) > 0 for b in by]
    return (of & np.stack(wide)).sum() / of.sum()


def drawn(model, given, captions, steps, guidance):
    pictures = []
    for i in range(0, len(captions), BATCH):
        model.edges = given[i : i + BATCH]
        seeds = range(i, i + len(model.edges))
        pictures.append(model.draw(captions[i : i + BATCH], seeds, steps, guidance, BATCH))
    return edges(np.concatenate(pictures))


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('model')
    a.add_argument('--control', required=True)
    a.add_argument('--data', required=True)
    a.add_argument('--count', type=int, default=200)
    a.add_argument('--steps', type=int, default=20)
    a.add_argument('--guidance', type=float, default=5)
    a = a.parse_args()
    start()
    plans = read_plans(a.data)
    chosen = [i for i, plan in enumerate(plans) if plan.side or plan.things[0].size][: a.count]
    captions = [*loose_captions(plans[i] for i in chosen)]
    given = edges(np.load(a.data + '.npy', mmap_mode='r')[chosen])
    want = given[:, 0].bool().cpu().numpy()
    for name, model in (('with', Controlled(a.model, a.control)), ('without', Model(a.model))):
        found = drawn(model, given, captions, a.steps, a.guidance)[:, 0].bool().cpu().numpy()
        print(f'{name} the ControlNet: {100 * followed(want, found):.1f}% of the given edges are drawn, '
              f'{100 * followed(found, want):.1f}% of the drawn ones were given', flush=True)


if __name__ == '__main__':
    main()
