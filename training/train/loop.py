"""The course of a training: time, rate, averaged weights, checkpoints that it goes on from."""
import copy
import math
import os
import time

import torch

from .common import DEVICE, replace_file
from .muon import Muon
from .parallel import RANK, WORLD, add_up, agreed, meet, seed


class Average:
    """An exponential moving average of modules' weights."""

    def __init__(self, modules, decay):
        self.modules = [copy.deepcopy(m).eval().requires_grad_(False) for m in modules]
        self.decay = decay
        self.mine = [p for m in self.modules for p in m.parameters()]
        self.theirs = [p for m in modules for p in m.parameters()]

    @torch.no_grad()
    def update(self, step):
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.mine, self.theirs, 1 - decay)


def rate(peak, step, share, hold, warm_up=100):
    """A learning rate: rises over `warm_up` steps, holds for a share of the time, and falls to 2% along a cosine."""
    fall = 1.0 if share < hold else 0.5 * (1 + math.cos(math.pi * (share - hold) / (1 - hold)))
    return peak * min(1.0, (step + 1) / warm_up) * (0.98 * fall + 0.02)


def add_options(parser, minutes, lr, batch):
    parser.add_argument('--out', required=True)
    parser.add_argument('--minutes', type=float, default=minutes, help='in all, over restarts')
    parser.add_argument('--lr', type=float, default=lr)
    parser.add_argument('--batch', type=int, default=batch, help='of each process')
    parser.add_argument('--hold', type=float, default=0.4, help='share of the time at the full rate, which then falls')
    parser.add_argument('--muon', action='store_true', help='step with Muon: more for a sample, and slower for small batches')
    parser.add_argument('--average', type=float, default=0.998, help='decay of the averaged weights')
    parser.add_argument('--checkpoint', type=float, default=4, help='minutes between checkpoints')
    parser.add_argument('--compile', action='store_true', help='faster on a GPU, after a minute of compiling')


class Loop:
    """`for share in loop: ...; loop.update(loss, shown)` trains `modules` for the time that is left.

    Keeps everything in OUT/state.pt, and calls `export(average)` with the averaged modules at each checkpoint.
    """

    def __init__(self, options, modules, export, trained=None, report=100, inspect=None):
        meet()
        self.options, self.modules, self.export = options, modules, export
        self.trained = list(trained or (p for m in modules for p in m.parameters()))
        settings = dict(lr=options.lr, betas=(0.9, 0.99), weight_decay=0.01)
        self.optimizer = Muon(self.trained, **settings) if options.muon else torch.optim.AdamW(self.trained, **settings, fused=True)
        self.average = Average(modules, options.average)
        self.step, self.used, self.report, self.inspect, self.shown = 0, 0.0, report, inspect, []
        self.file = options.out + '/state.pt'
        os.makedirs(options.out, exist_ok=True)
        if os.path.exists(self.file):
            self.restore()
        seed(self.step)

    def compiled(self, run):
        """`run`, compiled where that is wished and safe: on processors torch 2.13 gave an autoencoder wrong gradients."""
        return torch.compile(run) if self.options.compile and DEVICE == 'cuda' else run

    def restore(self):
        state = torch.load(self.file, map_location=DEVICE)
        for module, saved in zip((*self.modules, *self.average.modules), state['modules']):
            module.load_state_dict(saved)
        self.optimizer.load_state_dict(state['optimizer'])
        self.step, self.used = state['step'], state['used']

    def save(self):
        if RANK > 0:
            return
        state = {'modules': [m.state_dict() for m in (*self.modules, *self.average.modules)],
                 'optimizer': self.optimizer.state_dict(), 'step': self.step, 'used': self.used}
        replace_file(self.file, lambda path: torch.save(state, path))
        self.export(*self.average.modules)

    def __iter__(self):
        total, last = self.options.minutes * 60, agreed(time.time())
        saved = last
        while self.used < total:
            share = self.used / total
            for group in self.optimizer.param_groups:
                group['lr'] = rate(self.options.lr, self.step, share, self.options.hold)
            yield share
            now = agreed(time.time())
            self.used, last = self.used + now - last, now
            if now - saved > self.options.checkpoint * 60:
                self.save()
                saved = now
        self.save()

    def update(self, loss, shown):
        (loss / WORLD).backward()
        add_up([p.grad for p in self.trained if p.grad is not None])
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update(self.step)
        self.step += 1
        self.shown.append(shown)
        if self.step % self.report == 0:
            if RANK == 0:
                self.tell()
            self.shown = []

    def tell(self):
        more = f', {self.inspect(*self.average.modules)}' if self.inspect else ''
        mean = torch.stack(self.shown).mean()
        print(f'{self.step * self.options.batch * WORLD} samples, {self.used / 60:.1f} min: {mean:.4f}{more}', flush=True)
