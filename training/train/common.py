"""What the trainings share: where they compute, and pictures as input."""
import os

import numpy as np
import torch

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


def bf16_is_fast():
    """On a GPU, and on processors that compute in it; elsewhere float32 is three times faster."""
    if DEVICE == 'cuda':
        return True
    with open('/proc/cpuinfo') as info:
        return 'avx512_bf16' in info.read()


def autocast():
    return torch.autocast(DEVICE, dtype=torch.bfloat16, enabled=bf16_is_fast())


def start(seed=0):
    torch.manual_seed(seed)
    np.random.seed(seed)
    if DEVICE == 'cpu':
        torch.set_num_threads(int(os.environ.get('THREADS', 2)))
    torch.set_float32_matmul_precision('high')


def to_device(module):
    return module.float().to(DEVICE, memory_format=torch.channels_last)


def as_input(pictures):
    """uint8 [n, 128, 128, 3] to [-1, 1] [n, 3, 128, 128]."""
    x = torch.tensor(pictures) if isinstance(pictures, np.ndarray) else pictures
    return x.to(DEVICE).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def replace_file(path, write):
    """Writes beside, then renames: a checkpoint is whole or the one before."""
    write(path + '.part')
    os.replace(path + '.part', path)
