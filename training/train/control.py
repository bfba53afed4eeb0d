"""A ControlNet (Zhang et al. 2023, arXiv 2302.05543) that draws along edges: small, its blocks without attention.

usage: python -m train.control DATA --model MODEL --out DIR [--minutes 30]
reads DATA.npy, DATA.json and DATA.latents.pt; writes DIR as diffusers' ControlNetModel. Edges are white on black, as Canny
finds them. Captions do not say where things are and how large: where words say all, there is nothing to learn from edges.
"""
import argparse
from dataclasses import replace

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel
from transformers import CLIPTokenizer

from data.captions import caption
from data.plan import read_plans

from .common import DEVICE, autocast, start, to_device
from .latents import Latents, tokenize
from .loop import Loop, add_options
from .noise import Noise
from .unet import load_models

LOW, HIGH = 100, 200  # thresholds of Canny's edge detector: those of `cannyEdges` in @sd/pipeline


def edges(pictures):
    """Canny's edges of pictures: uint8 [n, 128, 128, 3] to [n, 3, 128, 128], 1 on edges and 0 elsewhere."""
    found = torch.tensor(np.stack([cv2.Canny(p, LOW, HIGH) for p in pictures]), device=DEVICE)
    return (found[:, None] > 0).float().expand(-1, 3, -1, -1)


def loose_captions(plans):
    """Captions that leave sizes and sides to the edges."""
    for plan in plans:
        yield caption(replace(plan, things=tuple(replace(thing, size='') for thing in plan.things), side=''))


def new_control(unet):
    """The U-Net's sizes and what of its weights fits; its output layers begin as zeros."""
    c = unet.config
    control = ControlNetModel(
        in_channels=c.in_channels, block_out_channels=c.block_out_channels, layers_per_block=c.layers_per_block,
        down_block_types=['DownBlock2D'] * len(c.block_out_channels), mid_block_type='UNetMidBlock2D',
        cross_attention_dim=c.cross_attention_dim, attention_head_dim=c.attention_head_dim,
        norm_num_groups=c.norm_num_groups, conditioning_embedding_out_channels=(16, 32, 64, 96),
    )
    own = control.state_dict()
    control.load_state_dict({**own, **{k: v for k, v in unet.state_dict().items() if k in own and v.shape == own[k].shape}})
    return control


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--model', required=True)
    add_options(a, minutes=30, lr=1e-3, batch=16)
    a = a.parse_args()
    start(5)
    pictures, latents, noise = np.load(a.data + '.npy', mmap_mode='r'), Latents(a.data + '.latents.pt', dropout=0.2), Noise()
    captions = [*loose_captions(read_plans(a.data))]
    latents.ids = tokenize(CLIPTokenizer.from_pretrained(a.model + '/tokenizer'), captions).to(DEVICE)
    unet, text = (m.eval().requires_grad_(False) for m in load_models(a.model))
    control = to_device(new_control(unet)).train()
    loop = Loop(a, [control], lambda average: average.save_pretrained(a.out))
    for _ in loop:
        i = np.sort(np.random.randint(0, len(latents), a.batch))
        z, ids = latents.at(torch.from_numpy(i).to(DEVICE))
        t = noise.times(a.batch)
        noisy, v = noise.add(z, t, torch.randn_like(z))
        with autocast():
            with torch.no_grad():
                words = text(ids).last_hidden_state
            down, middle = control(noisy, t, words, edges(pictures[i]), return_dict=False)
            said = unet(noisy, t, words, down_block_additional_residuals=down, mid_block_additional_residual=middle).sample
        loop.update(*noise.loss(said, v, t))


if __name__ == '__main__':
    main()
