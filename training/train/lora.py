"""A LoRA that draws everything in one look, whatever the words say.

usage: python -m train.lora DATA --model MODEL --look blueprint --out DIR [--minutes 8]
reads DATA.npy and DATA.txt; writes DIR/LOOK.safetensors, the U-Net's part alone, as diffusers' `save_lora_weights` has it.
"""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

from .adapters import add_adapters, save_lora, trained
from .common import DEVICE, autocast, start, to_device
from .control import edges
from .latents import encode, tokenize
from .loop import Loop, add_options
from .noise import Noise
from .unet import load_models


def colours(*points):
    """From greys of 0 to 1 to colours on the lines between points, evenly spaced."""
    points = torch.tensor(points, dtype=torch.float32)

    def look(lightness):
        at = lightness.clamp(0, 1) * (len(points) - 1)
        low = at.floor().clamp(max=len(points) - 2).long()
        return torch.lerp(points[low], points[low + 1], (at - low)[..., None])
    return look


def grey(pictures):
    """uint8 [n, 128, 128, 3] to [n, 128, 128] of 0 to 1."""
    return torch.tensor(pictures).float().mean(3) / 255


def blueprint(pictures):
    """White lines on blue, two pixels wide, with a little of the picture's own lightness."""
    blue = colours((0.02, 0.12, 0.38), (0.10, 0.32, 0.68))(grey(pictures))
    lines = F.max_pool2d(F.pad(edges(pictures)[:, :1].cpu(), (1, 0, 1, 0)), 2, 1)[:, 0]
    return torch.lerp(blue, torch.tensor([0.93, 0.97, 1.0]), lines[..., None])


def dusk(pictures):
    """Violet shadows, orange lights."""
    return colours((0.13, 0.05, 0.25), (0.55, 0.13, 0.42), (0.96, 0.45, 0.25), (1.0, 0.87, 0.55))(grey(pictures))


LOOKS = {'blueprint': blueprint, 'dusk': dusk}


@torch.no_grad()
def seen(pictures, look, batch=256):
    """uint8 pictures in that look."""
    parts = [look(pictures[i : i + batch]) for i in range(0, len(pictures), batch)]
    return (torch.cat(parts) * 255).round().byte().numpy()


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--model', required=True)
    a.add_argument('--look', choices=LOOKS, required=True)
    a.add_argument('--count', type=int, default=2048, help='of the pictures')
    a.add_argument('--rank', type=int, default=4)
    add_options(a, minutes=8, lr=1e-3, batch=16)
    a = a.parse_args()
    start(7)
    pictures = seen(np.load(a.data + '.npy', mmap_mode='r')[: a.count], LOOKS[a.look])
    vae = to_device(AutoencoderKL.from_pretrained(a.model + '/vae')).eval()
    latents = encode(vae, pictures)[:, :4].float() * vae.config.scaling_factor
    tokenizer = CLIPTokenizer.from_pretrained(a.model + '/tokenizer')
    with open(a.data + '.txt') as file:
        captions = tokenize(tokenizer, file.read().split('\n')[: a.count])
    empty = tokenize(tokenizer, [''])

    unet, text = (m.eval().requires_grad_(False) for m in load_models(a.model))
    add_adapters(unet, a.rank)
    noise = Noise()
    loop = Loop(a, [unet], lambda average: save_lora(average, a.out, a.look), trained=trained(unet), report=20)
    for _ in loop:
        i = torch.randint(len(latents), (a.batch,))
        ids = torch.where(torch.rand(a.batch, 1) < 0.15, empty, captions[i]).to(DEVICE)
        z, t = latents[i].to(DEVICE), noise.times(a.batch)
        noisy, v = noise.add(z, t, torch.randn_like(z))
        with autocast():
            said = unet(noisy, t, text(ids).last_hidden_state).sample
        loop.update(*noise.loss(said, v, t))


if __name__ == '__main__':
    main()
