"""A training in several processes, as torchrun starts them: each takes batches of its own, and they step by the mean of
their gradients. Started without it, a training is one process, and nothing here does anything."""
import atexit
import os

import numpy as np
import torch
import torch.distributed as dist

from .common import DEVICE

RANK, WORLD = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))


def meet():
    if WORLD > 1 and not dist.is_initialized():
        if DEVICE == 'cuda':
            torch.cuda.set_device(int(os.environ['LOCAL_RANK']))
        dist.init_process_group('nccl' if DEVICE == 'cuda' else 'gloo')
        atexit.register(dist.destroy_process_group)


def seed(step):
    """From here on each process draws numbers of its own; a training that goes on draws others than before."""
    torch.manual_seed(step * WORLD + RANK)
    np.random.seed(step * WORLD + RANK)


def agreed(number):
    """The first process's number."""
    if WORLD == 1:
        return number
    held = torch.tensor(number, dtype=torch.float64, device=DEVICE)
    dist.broadcast(held, 0)
    return held.item()


def add_up(tensors):
    """Each tensor becomes its sum over the processes."""
    if WORLD == 1 or not tensors:
        return
    flat = torch.cat([t.flatten() for t in tensors])
    dist.all_reduce(flat)
    for t, total in zip(tensors, flat.split([t.numel() for t in tensors])):
        t.copy_(total.view_as(t))
