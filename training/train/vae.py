"""The autoencoder: pictures to latents of 4 x 16 x 16 and back.

usage: python -m train.vae DATA --out DIR [--from DIR] [--minutes 30] [--crop 64] [--styled 0.5]
reads DATA.npy and DATA.json; writes a folder in diffusers' layout, averaged weights in float32. The figure that it prints
is dB.
"""
import argparse
import json

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from .common import as_input, autocast, start, to_device
from .loop import Loop, add_options


def new_vae(channels):
    return AutoencoderKL(
        block_out_channels=channels, down_block_types=['DownEncoderBlock2D'] * 4, up_block_types=['UpDecoderBlock2D'] * 4,
        layers_per_block=1, latent_channels=4, norm_num_groups=8, sample_size=128,
    )


def differences(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def reconstruction(y, x):
    """L1, what PSNR measures, and the same edges."""
    edges = sum(F.l1_loss(p, q) for p, q in zip(differences(y), differences(x)))
    return F.l1_loss(y, x) + 4 * F.mse_loss(y, x) + 0.5 * edges


def chances(data, styled):
    """How often each picture is taken, so that a share of `styled` is in one of the styles, which few pictures are in."""
    with open(data + '.json') as file:
        in_style = np.array([plan['style'] != '' for plan in json.load(file)])
    return np.where(in_style, styled / in_style.sum(), (1 - styled) / (~in_style).sum())


def crops(pictures, n, side, p=None):
    """Crops train four times the steps that whole pictures do; they lie on the latent grid, as the picture does."""
    chosen = pictures[np.sort(np.random.choice(len(pictures), n, p=p))]
    y, x = 8 * np.random.randint(0, (chosen.shape[1] - side) // 8 + 1, 2)
    return as_input(chosen[:, y : y + side, x : x + side])


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--from', dest='source')
    a.add_argument('--crop', type=int, default=64)
    a.add_argument('--channels', type=int, nargs=4, default=[24, 48, 96, 128])
    a.add_argument('--styled', type=float, default=0.5, help='share of crops that are in a style')
    add_options(a, minutes=30, lr=5e-4, batch=8)
    a = a.parse_args()
    start(2)
    pictures, taken = np.load(a.data + '.npy', mmap_mode='r'), chances(a.data, a.styled)
    vae = to_device(AutoencoderKL.from_pretrained(a.source) if a.source else new_vae(a.channels)).train()

    @torch.no_grad()
    def export(average):
        z = torch.cat([average.encode(crops(pictures, 16, 128)).latent_dist.mean for _ in range(16)])
        average.register_to_config(scaling_factor=float(1 / z.std()))
        average.save_pretrained(a.out)

    loop = Loop(a, [vae], export)
    np.random.seed(loop.step)
    decode = loop.compiled(vae.decode)
    for _ in loop:
        x = crops(pictures, a.batch, a.crop, taken)
        with autocast():
            found = vae.encode(x).latent_dist
            y = decode(found.mean + found.std * torch.randn_like(found.mean)).sample.float()
        loss = reconstruction(y, x) + 3e-5 * found.kl().float().mean() / found.mean[0].numel()
        loop.update(loss, -10 * torch.log10(F.mse_loss(y, x).detach() / 4))


if __name__ == '__main__':
    main()
