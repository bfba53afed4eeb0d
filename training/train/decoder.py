"""A decoder alone: the autoencoder's, sharpened once a U-Net has been trained on the latents, which stay as they are; or,
with `--tiny`, a small new one for previews, after TAESD (Ollin Boer Bohan 2023), of latents scaled as a U-Net has them.

usage: python -m train.decoder DATA --from VAE --out DIR [--minutes 30] [--crop 128] [--restore MODEL] [--share STYLE=0.1]
       python -m train.decoder DATA --tiny --out DIR --minutes 10 --lr 1e-3
reads DATA.npy, DATA.json and DATA.latents.pt; writes a folder in diffusers' layout, averaged weights in float32: an
AutoencoderKL, or an AutoencoderTiny, whose encoder is not trained. The figure that it prints is dB. With `--restore`, half of
the latents are not the encoder's own but what the model's U-Net makes of them under a little noise, so that its errors are not
painted out.
"""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, AutoencoderTiny

from .common import DEVICE, as_input, autocast, start, to_device
from .latents import Latents
from .loop import Loop, add_options
from .noise import Noise
from .shares import add_share, chances
from .unet import load_models
from .vae import reconstruction

RESTORED, MOST_NOISE = 0.5, 250  # of the latents, how many; under noise of which of the 1000 times at most


def new_tiny(width=24):
    widths = dict(encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(width,) * 4)
    return AutoencoderTiny(**widths, num_encoder_blocks=(1, 1, 1, 1), num_decoder_blocks=(2, 2, 2, 1), latent_channels=4)


class Restored:
    """Latents as a U-Net makes them: some get noise, which it takes away again."""

    def __init__(self, model):
        self.unet, self.text = (m.eval() for m in load_models(model))
        self.noise = Noise()

    @torch.no_grad()
    def __call__(self, z, ids):
        t = torch.randint(0, MOST_NOISE, (len(z),), device=DEVICE)
        noisy, _ = self.noise.add(z, t, torch.randn_like(z))
        with autocast():
            v = self.unet(noisy, t, self.text(ids).last_hidden_state).sample.float()
        some = torch.rand(len(z), 1, 1, 1, device=DEVICE) < RESTORED
        return torch.where(some, self.noise.split(v, noisy, t)[0], z)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    what = a.add_mutually_exclusive_group(required=True)
    what.add_argument('--from', dest='source')
    what.add_argument('--tiny', action='store_true')
    a.add_argument('--crop', type=int, default=128)
    a.add_argument('--restore', metavar='MODEL')
    add_share(a)
    add_options(a, minutes=30, lr=3e-4, batch=16)
    a = a.parse_args()
    start(2)
    pictures, latents = np.load(a.data + '.npy', mmap_mode='r'), Latents(a.data + '.latents.pt', dropout=0)
    taken = chances(a.data, a.share)
    vae = to_device(new_tiny() if a.tiny else AutoencoderKL.from_pretrained(a.source)).train()
    trained, scaling = [*vae.decoder.parameters()], 1
    if not a.tiny:
        trained, scaling = [*trained, *vae.post_quant_conv.parameters()], latents.scaling
    factor, side = pictures.shape[1] // latents.latents.shape[2], a.crop
    restored = Restored(a.restore) if a.restore else None
    loop = Loop(a, [vae], lambda average: average.save_pretrained(a.out), trained=trained)
    decode = loop.compiled(vae.decode)
    for _ in loop:
        i = np.sort(np.random.choice(len(latents), a.batch, p=taken))
        y, x = np.random.randint(0, (pictures.shape[1] - side) // factor + 1, 2)
        z, ids = latents.at(torch.from_numpy(i).to(DEVICE))
        if restored:
            z = restored(z, ids)
        z = z[:, :, y : y + side // factor, x : x + side // factor] / scaling
        y, x = factor * y, factor * x
        want = as_input(pictures[i, y : y + side, x : x + side])
        with autocast():
            said = decode(z.contiguous(memory_format=torch.channels_last)).sample.float()
        loop.update(reconstruction(said, want), -10 * torch.log10(F.mse_loss(said.detach(), want) / 4))


if __name__ == '__main__':
    main()
