"""An inpainting U-Net: nine channels in, as Stable Diffusion's (latents, mask, latents of what is kept).

usage: python -m train.inpaint DATA --model MODEL --out DIR [--minutes 30]
reads DATA.npy and DATA.latents.pt; writes DIR as diffusers' UNet2DConditionModel, tuned from the model's. Its words stay.
"""
import argparse

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from .common import DEVICE, as_input, autocast, start, to_device
from .latents import Latents
from .loop import Loop, add_options
from .noise import Noise
from .unet import load_models


def widened(unet):
    """The same U-Net with five more channels in, which it does not look at yet."""
    wide = UNet2DConditionModel.from_config({**unet.config, 'in_channels': 9})
    weights = unet.state_dict()
    old = weights['conv_in.weight']
    weights['conv_in.weight'] = torch.cat([old, old.new_zeros(old.shape[0], 5, *old.shape[2:])], 1)
    wide.load_state_dict(weights)
    return wide


def masks(n, side=128, grid=8):
    """What is to be drawn: a rectangle on the latent grid, everything, or two rectangles. [n, 1, side, side], 1 inside."""
    cells = side // grid
    out = torch.zeros(n, 1, cells, cells)
    for mask in out:
        if np.random.random() < 0.15:
            mask.fill_(1)
        for _ in range(np.random.randint(1, 3)):
            h, w = np.random.randint(cells // 4, cells, 2)
            y, x = np.random.randint(0, cells - h + 1), np.random.randint(0, cells - w + 1)
            mask[:, y : y + h, x : x + w] = 1
    return out.repeat_interleave(grid, 2).repeat_interleave(grid, 3).to(DEVICE)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--model', required=True)
    add_options(a, minutes=30, lr=3e-4, batch=32)
    a = a.parse_args()
    start(6)
    pictures, latents, noise = np.load(a.data + '.npy', mmap_mode='r'), Latents(a.data + '.latents.pt'), Noise()
    unet, text = load_models(a.model)
    text = text.eval().requires_grad_(False)
    vae = to_device(AutoencoderKL.from_pretrained(a.model + '/vae')).eval().requires_grad_(False)
    unet = to_device(widened(unet)).train()
    loop = Loop(a, [unet], lambda average: average.save_pretrained(a.out))
    np.random.seed(loop.step)
    run = loop.compiled(unet)
    for _ in loop:
        i = np.sort(np.random.randint(0, len(latents), a.batch))
        z, ids = latents.at(torch.from_numpy(i).to(DEVICE))
        mask, t = masks(a.batch), noise.times(a.batch)
        noisy, v = noise.add(z, t, torch.randn_like(z))
        with autocast():
            with torch.no_grad():
                kept = vae.encode(as_input(pictures[i]) * (mask < 0.5)).latent_dist.mean.float() * latents.scaling
                words = text(ids).last_hidden_state
            given = torch.cat([noisy, mask[:, :, ::8, ::8], kept], 1).contiguous(memory_format=torch.channels_last)
            said = run(given, t, words).sample
        loop.update(*noise.loss(said, v, t))


if __name__ == '__main__':
    main()
