"""PSNR of the autoencoder over unseen scenes, from the mean of all errors, and the mean of every picture's own.

usage: python -m evaluate.vae VAE --data DATA [--count 1000]
"""
import argparse

import numpy as np
import torch
from diffusers import AutoencoderKL

from train.common import as_input, autocast, start, to_device


@torch.no_grad()
def errors(vae, pictures, batch=32):
    """Mean squared errors of pictures of 0 to 1, one a picture."""
    found = []
    for i in range(0, len(pictures), batch):
        x = as_input(pictures[i : i + batch])
        with autocast():
            y = vae.decode(vae.encode(x).latent_dist.mean).sample.float().clamp(-1, 1)
        found += (((y - x) / 2) ** 2).mean((1, 2, 3)).tolist()
    return np.array(found)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('vae')
    a.add_argument('--data', required=True)
    a.add_argument('--count', type=int, default=1000)
    a = a.parse_args()
    start()
    found = errors(to_device(AutoencoderKL.from_pretrained(a.vae)).eval(), np.load(a.data + '.npy', mmap_mode='r')[: a.count])
    mean = (-10 * np.log10(np.maximum(found, 1e-10))).mean()
    print(f'{len(found)} pictures: {-10 * np.log10(found.mean()):.2f} dB of all errors, {mean:.2f} dB mean of pictures')


if __name__ == '__main__':
    main()
