"""The autoencoder: pictures to latents of 4 x 16 x 16 and back.

usage: python -m train.vae DATA --out DIR [--from DIR] [--minutes 30] [--crop 128] [--share STYLE=0.1]
reads DATA.npy and DATA.json; writes a folder in diffusers' layout, averaged weights in float32. The figure that it prints
is dB.
"""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from .common import as_input, autocast, start, to_device
from .loop import Loop, add_options
from .shares import add_share, chances


def new_vae(channels):
    return AutoencoderKL(
        block_out_channels=channels, down_block_types=['DownEncoderBlock2D'] * 4, up_block_types=['UpDecoderBlock2D'] * 4,
        layers_per_block=1, latent_channels=4, norm_num_groups=8, sample_size=128,
    )


def reconstruction(y, x):
    """What PSNR measures, picture by picture: the root, so that what is hard to draw does not drown all else."""
    return (((y - x) ** 2).mean((1, 2, 3)) + 1e-5).sqrt().mean()


def crops(pictures, n, side, p=None):
    """Parts of pictures, or whole ones; they lie on the latent grid, as the picture does."""
    chosen = pictures[np.sort(np.random.choice(len(pictures), n, p=p))]
    y, x = 8 * np.random.randint(0, (chosen.shape[1] - side) // 8 + 1, 2)
    return as_input(chosen[:, y : y + side, x : x + side])


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--from', dest='source')
    a.add_argument('--crop', type=int, default=128, help='64 takes four times the steps; whole pictures end higher')
    a.add_argument('--channels', type=int, nargs=4, default=[24, 48, 96, 128])
    add_share(a)
    add_options(a, minutes=30, lr=5e-4, batch=8)
    a = a.parse_args()
    start(2)
    pictures, taken = np.load(a.data + '.npy', mmap_mode='r'), chances(a.data, a.share)
    vae = to_device(AutoencoderKL.from_pretrained(a.source) if a.source else new_vae(a.channels)).train()

    @torch.no_grad()
    def export(average):
        z = torch.cat([average.encode(crops(pictures, 16, 128)).latent_dist.mean for _ in range(16)])
        average.register_to_config(scaling_factor=float(1 / z.std()))
        average.save_pretrained(a.out)

    loop = Loop(a, [vae], export)
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
