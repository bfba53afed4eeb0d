"""Whether another thing is painted into a picture: the middle of unseen drawn pictures is repainted, with a prompt that names the
thing of another picture and nothing else, so that place and style have to come from what is kept.

usage: python -m evaluate.inpaint MODEL --unet DIR --data DATA [--count 200] [--steps 20] [--guidance 5]
reads DATA.npy and DATA.json. Prints what the classifier finds, and how different colours are on both sides of the mask's
border: with the inpainting U-Net, and with the model's own, where what is kept is put back at each step.
"""
import argparse
from dataclasses import replace

import numpy as np
import torch
from diffusers import UNet2DConditionModel

from data.captions import caption
from data.plan import read_plans
from train.classifier import load_classifier
from train.common import DEVICE, start, to_device
from train.inpaint import beside, things_alone

from .faithful import score, summary
from .sample import Model

BATCH = 25
INSIDE = slice(24, 104)  # of rows and columns: the middle of a picture, on the latent grid


class Repainted(Model):
    """Draws into pictures where a mask is 1: uint8 [n, 128, 128, 3] and [n, 1, 128, 128]."""

    def __init__(self, folder, unet):
        super().__init__(folder)
        self.unet = to_device(UNet2DConditionModel.from_pretrained(unet)).eval()

    def show(self, pictures, mask):
        self.beside = beside(self.vae, pictures, mask)

    def predict(self, x, t, words):
        shown = torch.cat([self.beside] * (len(x) // len(self.beside)))
        return self.unet(torch.cat([x, shown], 1), t, words).sample


class PutBack(Model):
    """The same with a U-Net of four channels."""

    def show(self, pictures, mask):
        shown = beside(self.vae, pictures, torch.zeros_like(mask))
        self.mask, self.kept = mask[:, :, ::8, ::8], shown[:, 1:]
        self.noise = torch.randn(self.kept.shape, generator=torch.Generator().manual_seed(0)).to(DEVICE)

    def stepped(self, x, t):
        kept = self.kept if t is None else self.scheduler.add_noise(self.kept, self.noise, t[None])
        return torch.where(self.mask > 0.5, x, kept)


def middle(n):
    mask = torch.zeros(n, 1, 128, 128, device=DEVICE)
    mask[:, :, INSIDE, INSIDE] = 1
    return mask


def seam(pictures):
    """The mean difference of colours over the mask's border, of 255."""
    p = pictures.astype(np.float32)
    a, b = INSIDE.start, INSIDE.stop
    sides = [p[:, a, INSIDE] - p[:, a - 1, INSIDE], p[:, b, INSIDE] - p[:, b - 1, INSIDE],
             p[:, INSIDE, a] - p[:, INSIDE, a - 1], p[:, INSIDE, b] - p[:, INSIDE, b - 1]]
    return np.abs(np.stack(sides)).mean()


@torch.no_grad()
def repainted(model, given, captions, steps, guidance):
    pictures = []
    for i in range(0, len(given), BATCH):
        part = given[i : i + BATCH]
        mask = middle(len(part))
        model.show(part, mask)
        drawn = model.draw(captions[i : i + BATCH], range(i, i + len(part)), steps, guidance, BATCH)
        pictures.append(np.where(mask.permute(0, 2, 3, 1).cpu().numpy() > 0.5, drawn, part))
    return np.concatenate(pictures)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('model')
    a.add_argument('--unet', required=True)
    a.add_argument('--data', required=True)
    a.add_argument('--classifier', default='classifier')
    a.add_argument('--count', type=int, default=200)
    a.add_argument('--steps', type=int, default=20)
    a.add_argument('--guidance', type=float, default=5)
    a.add_argument('--save', help='a .npy file of the pictures, given and repainted')
    a = a.parse_args()
    start()
    plans = read_plans(a.data)
    chosen = [i for i, p in enumerate(plans) if p.count == 1 and not p.side and p.things[0].size != 'big'][: a.count]
    given = np.load(a.data + '.npy', mmap_mode='r')[chosen]
    wanted = [replace(plans[i], things=plans[chosen[k - 1]].things) for k, i in enumerate(chosen)]
    captions = [caption(things_alone(plan)) for plan in wanted]
    classifier, rows = load_classifier(a.classifier), [given]
    print(f'as drawn: {seam(given):.2f} over the border')
    for name, model in (('the inpainting U-Net', Repainted(a.model, a.unet)), ('put back', PutBack(a.model))):
        pictures = repainted(model, given, captions, a.steps, a.guidance)
        rows.append(pictures)
        print(f'{name}: {summary(score(classifier, pictures, wanted))}; {seam(pictures):.2f} over the border', flush=True)
    if a.save:
        np.save(a.save, np.stack(rows, 1))


if __name__ == '__main__':
    main()
