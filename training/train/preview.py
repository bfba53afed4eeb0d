"""A tiny decoder for previews, after TAESD (Ollin Boer Bohan 2023): latents, scaled as a U-Net has them, to pictures.

usage: python -m train.preview DATA --out DIR [--minutes 10] [--batch 16]
reads DATA.npy and DATA.latents.pt; writes DIR as diffusers' AutoencoderTiny. Its encoder is not trained.
"""
import argparse

import numpy as np
import torch
from diffusers import AutoencoderTiny

from .common import DEVICE, as_input, autocast, start, to_device
from .latents import Latents
from .loop import Loop, add_options
from .vae import reconstruction


def new_decoder(width=32):
    widths = dict(encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(width,) * 4)
    return AutoencoderTiny(**widths, num_encoder_blocks=(1, 1, 1, 1), num_decoder_blocks=(2, 2, 2, 1), latent_channels=4)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    add_options(a, minutes=10, lr=1e-3, batch=16)
    a = a.parse_args()
    start(4)
    pictures, latents = np.load(a.data + '.npy', mmap_mode='r'), Latents(a.data + '.latents.pt', dropout=0)
    tiny = to_device(new_decoder()).train()
    tiny.encoder.requires_grad_(False)
    loop = Loop(a, [tiny], lambda average: average.save_pretrained(a.out), trained=tiny.decoder.parameters())
    np.random.seed(loop.step)
    decode = loop.compiled(tiny.decode)
    for _ in loop:
        i = np.sort(np.random.randint(0, len(latents), a.batch))
        z, _ = latents.at(torch.from_numpy(i).to(DEVICE))
        x = as_input(pictures[i])
        with autocast():
            y = decode(z).sample.float()
        loop.update(reconstruction(y, x), -10 * torch.log10(((y.detach() - x) ** 2).mean() / 4))


if __name__ == '__main__':
    main()
