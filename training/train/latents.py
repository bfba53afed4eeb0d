"""Latents and tokens of drawn pictures, made once: what the trainings of the U-Net read.

usage: python -m train.latents DATA --vae DIR --tokenizer DIR      reads DATA.npy and DATA.txt, writes DATA.latents.pt
"""
import argparse

import numpy as np
import torch
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

from .common import DEVICE, as_input, autocast, replace_file, start, to_device


def tokenize(tokenizer, captions):
    length = tokenizer.model_max_length
    return tokenizer(captions, padding='max_length', max_length=length, truncation=True, return_tensors='pt').input_ids


@torch.no_grad()
def encode(vae, pictures, batch=64):
    """Means and deviations of the latents' distribution: float16 [n, 8, 16, 16]."""
    out = []
    for i in range(0, len(pictures), batch):
        with autocast():
            found = vae.encode(as_input(pictures[i : i + batch])).latent_dist
        out.append(torch.cat([found.mean, found.std], 1).half().cpu())
        if i % (batch * 50) == 0:
            print('latents', i, flush=True)
    return torch.cat(out)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--vae', required=True)
    a.add_argument('--tokenizer', required=True)
    a = a.parse_args()
    start()
    vae = to_device(AutoencoderKL.from_pretrained(a.vae)).eval()
    tokenizer = CLIPTokenizer.from_pretrained(a.tokenizer)
    with open(a.data + '.txt') as file:
        ids = tokenize(tokenizer, file.read().split('\n'))
    made = {
        'latents': encode(vae, np.load(a.data + '.npy', mmap_mode='r')), 'ids': ids,
        'empty': tokenize(tokenizer, ['']), 'scaling': vae.config.scaling_factor,
    }
    replace_file(a.data + '.latents.pt', lambda path: torch.save(made, path))


class Latents:
    """Latents, scaled, with the tokens of their captions; some captions are dropped, for guidance."""

    def __init__(self, path, dropout=0.1):
        made = torch.load(path)
        self.latents, self.ids, self.empty = (made[k].to(DEVICE) for k in ('latents', 'ids', 'empty'))
        self.scaling, self.dropout = made['scaling'], dropout
        self.vocabulary = int(self.empty.max()) + 1  # the end of text is the last token

    def __len__(self):
        return len(self.ids)

    def at(self, i):
        """Drawn from the latents' distributions."""
        mean, deviation = self.latents[i].float().chunk(2, 1)
        dropped = torch.rand(len(i), 1, device=DEVICE) < self.dropout
        return (mean + deviation * torch.randn_like(mean)) * self.scaling, torch.where(dropped, self.empty, self.ids[i])

    def means(self, i):
        return self.latents[i, :4].float() * self.scaling, self.ids[i]


if __name__ == '__main__':
    main()
