"""An inpainting U-Net: nine channels in, as Stable Diffusion's (latents, mask, latents of what is kept). Of the model's own the
outermost blocks are trained, through which what is kept has to pass, and low-rank adapters of the others, so that little has
to be kept beside it.

usage: python -m train.inpaint DATA --model MODEL --out DIR [--minutes 30] [--rank 2]
reads DATA.npy, DATA.json and DATA.latents.pt; writes DIR/difference.safetensors, float16: new tensors, and adapters by PEFT's
names; and DIR/unet, a UNet2DConditionModel that has them merged. The model's words stay.
"""
import argparse
from dataclasses import replace

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from data.captions import caption
from data.plan import read_plans

from .adapters import LAYERS, adapters, add_adapters, merged, trained
from .common import DEVICE, as_input, autocast, start, to_device
from .latents import Latents, tokenize
from .loop import Loop, add_options
from .noise import Noise
from .unet import load_models


BARE = 0.6  # of the captions, how many name the things alone


def widened(unet):
    """The same U-Net with five more channels in, which it does not look at yet."""
    wide = UNet2DConditionModel.from_config({**unet.config, 'in_channels': 9})
    weights = unet.state_dict()
    old = weights['conv_in.weight']
    weights['conv_in.weight'] = torch.cat([old, old.new_zeros(old.shape[0], 5, *old.shape[2:])], 1)
    wide.load_state_dict(weights)
    return wide


def is_outer(name, unet):
    last = f'up_blocks.{len(unet.up_blocks) - 1}.'
    return name.startswith(('conv_in.', 'down_blocks.0.', last, 'conv_norm_out.', 'conv_out.'))


def tuned(unet, rank):
    """The U-Net, of which outer blocks and adapters of the rest are trained."""
    inner = [name for name, _ in unet.named_modules() if name.endswith(tuple(LAYERS)) and not is_outer(name + '.', unet)]
    add_adapters(unet, rank, inner)
    for name, p in unet.named_parameters():
        p.requires_grad_(p.requires_grad or is_outer(name, unet))
    return unet


def difference(unet):
    outer = {name: p.half().contiguous() for name, p in unet.named_parameters() if is_outer(name, unet)}
    return {**outer, **adapters(unet)}


def things_alone(plan):
    """The same without its place, weather and style: what is kept of the picture tells them."""
    return replace(plan, scene='', background='', weather='', style='')


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


@torch.no_grad()
def beside(vae, pictures, mask):
    """What such a U-Net is given beside its latents: the mask, and what is kept; [n, 5, side / 8, side / 8]."""
    with autocast():
        kept = vae.encode(as_input(pictures) * (mask < 0.5)).latent_dist.mean.float()
    return torch.cat([mask[:, :, ::8, ::8], kept * vae.config.scaling_factor], 1)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--model', required=True)
    a.add_argument('--rank', type=int, default=2)
    add_options(a, minutes=30, lr=8e-4, batch=16)
    a = a.parse_args()
    start(6)
    pictures, latents, noise = np.load(a.data + '.npy', mmap_mode='r'), Latents(a.data + '.latents.pt'), Noise()
    captions = [caption(things_alone(plan)) for plan in read_plans(a.data)]
    bare = tokenize(CLIPTokenizer.from_pretrained(a.model + '/tokenizer'), captions).to(DEVICE)
    unet, text = load_models(a.model)
    text = text.eval().requires_grad_(False)
    vae = to_device(AutoencoderKL.from_pretrained(a.model + '/vae')).eval().requires_grad_(False)
    unet = tuned(to_device(widened(unet)), a.rank)

    def export(unet):
        save_file(difference(unet), a.out + '/difference.safetensors')
        merged(unet).save_pretrained(a.out + '/unet')

    loop = Loop(a, [unet], export, trained=trained(unet))
    run = loop.compiled(unet)
    for _ in loop:
        i = np.sort(np.random.randint(0, len(latents), a.batch))
        at = torch.from_numpy(i).to(DEVICE)
        z, ids = latents.at(at)
        ids = torch.where(torch.rand(a.batch, 1, device=DEVICE) < BARE, bare[at], ids)
        t = noise.times(a.batch)
        noisy, v = noise.add(z, t, torch.randn_like(z))
        given = torch.cat([noisy, beside(vae, pictures[i], masks(a.batch))], 1).contiguous(memory_format=torch.channels_last)
        with autocast():
            with torch.no_grad():
                words = text(ids).last_hidden_state
            said = run(given, t, words).sample
        loop.update(*noise.loss(said, v, t))


if __name__ == '__main__':
    main()
