"""A LoRA for four steps, by latent consistency distillation (Luo et al. 2023, arXiv 2310.04378 and 2311.05556) from the model's
own U-Net, guidance included: with it the model is called without guidance, with diffusers' LCMScheduler.

usage: python -m train.distill DATA --model MODEL --out DIR [--minutes 30] [--guidance 5] [--rank 4] [--keep 2]
reads DATA.latents.pt; writes DIR/lcm.safetensors, the U-Net's part alone, as diffusers' `save_lora_weights` has it.
"""
import argparse
import copy

import torch

from .adapters import add_adapters, save_lora, trained
from .common import DEVICE, autocast, start
from .latents import Latents
from .loop import Loop, add_options
from .noise import STEPS, Noise
from .unet import load_models

SOLVER_STEPS = 50  # LCMScheduler's original_inference_steps
DATA_DEVIATION, TIME_SCALING = 0.5, 10.0  # its sigma_data and timestep_scaling
HUBER = 0.001


def boundary(t):
    """How much of the noisy picture, and of what the model says, an answer holds: all of the picture at time 0."""
    s = (t.float() * TIME_SCALING).view(-1, 1, 1, 1)
    bottom = s**2 + DATA_DEVIATION**2
    return DATA_DEVIATION**2 / bottom, s / bottom.sqrt()


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--model', required=True)
    a.add_argument('--guidance', type=float, default=5.0)
    a.add_argument('--rank', type=int, default=4)
    a.add_argument('--keep', type=int, default=2, help='the rank that is written: half of it is a file half as large')
    add_options(a, minutes=30, lr=1e-3, batch=16)
    a = a.parse_args()
    start(7)
    latents, noise = Latents(a.data + '.latents.pt', dropout=0), Noise()
    teacher, text = (m.eval().requires_grad_(False) for m in load_models(a.model))
    student = add_adapters(copy.deepcopy(teacher), a.rank)
    loop = Loop(a, [student], lambda average: save_lora(average, a.out, 'lcm', a.keep), trained=trained(student))
    target = loop.average.modules[0]

    def answer(unet, x, t, words):
        keep, trust = boundary(t)
        with autocast():
            v = unet(x, t, words).sample.float()
        return keep * x + trust * noise.split(v, x, t)[0]

    with torch.no_grad(), autocast():
        nothing = text(latents.empty.expand(a.batch, -1)).last_hidden_state
    for _ in loop:
        z, ids = latents.at(torch.randint(len(latents), (a.batch,), device=DEVICE))
        leap = STEPS // SOLVER_STEPS
        t = torch.randint(1, SOLVER_STEPS + 1, (a.batch,), device=DEVICE) * leap - 1
        before = (t - leap).clamp(min=0)
        x, _ = noise.add(z, t, torch.randn_like(z))
        with torch.no_grad(), autocast():
            words = text(ids).last_hidden_state
            v, without = teacher(x, t, words).sample.float(), teacher(x, t, nothing).sample.float()
        with torch.no_grad():
            picture, rest = noise.split(without + a.guidance * (v - without), x, t)
            signal, deviation = noise.levels(before)
            earlier = (signal * picture + deviation * rest).contiguous(memory_format=torch.channels_last)
            want = answer(target, earlier, before, words)
        off = (answer(student, x, t, words) - want) ** 2
        loss = ((off + HUBER**2).sqrt() - HUBER).mean()
        loop.update(loss, off.detach().mean())


if __name__ == '__main__':
    main()
