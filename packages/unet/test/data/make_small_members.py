"""Writes small-members.json: for the small members of the family, each with few channels, its config, its tensors' shapes
and diffusers' output for one input. The values of tensors and inputs are hashes of their names, which the test repeats.

Run here: python make_small_members.py (torch 2.13, diffusers 0.42.1)
"""

import json
import zlib

import numpy as np
import torch
from diffusers import UNet2DConditionModel

CROSS, PLAIN = 'CrossAttn{}Block2D', '{}Block2D'


def types(side, attends):
    return [(CROSS if attend else PLAIN).format(side) for attend in attends]


def config(channels, down, up, width, **options):
    return {
        'block_out_channels': channels, 'down_block_types': types('Down', down), 'up_block_types': types('Up', up),
        'cross_attention_dim': width, 'norm_num_groups': 8, 'sample_size': 8, **options,
    }


XL = {
    'use_linear_projection': True, 'addition_embed_type': 'text_time', 'addition_time_embed_dim': 8,
    'projection_class_embeddings_input_dim': 6 * 8 + 16,
}
FOUR, THREE = ([1, 1, 1, 0], [0, 1, 1, 1]), ([1, 1, 1], [1, 1, 1])
XL_LEVELS = ([0, 1, 1], [1, 1, 0])
# What the published configs have, with fewer channels and transformer blocks. SSD-1B and Vega list a depth for each attention.
MEMBERS = {
    'bk-sdm-base': config([16, 32, 32, 32], *FOUR, 24, layers_per_block=1, attention_head_dim=4),
    'bk-sdm-small': config([16, 32, 32, 32], *FOUR, 24, layers_per_block=1, attention_head_dim=4, mid_block_type=None),
    'bk-sdm-tiny': config([16, 32, 32], *THREE, 24, layers_per_block=1, attention_head_dim=4, mid_block_type=None),
    'bk-sdm-v2-small': config([16, 32, 64, 64], *FOUR, 24, layers_per_block=1, attention_head_dim=[2, 4, 8, 8],
                              use_linear_projection=True, mid_block_type=None),
    'sdxs': config([16, 32, 64], [0, 1, 1], [1, 1, 1], 24, layers_per_block=1, attention_head_dim=[2, 4, 8],
                   use_linear_projection=True, mid_block_type=None),
    'ssd-1b': config([16, 32, 64], *XL_LEVELS, 24, attention_head_dim=[2, 4, 8], mid_block_type='UNetMidBlock2D',
                     transformer_layers_per_block=[1, [2, 2], [3, 3]],
                     reverse_transformer_layers_per_block=[[3, 3, 5], [2, 1, 1], 1], **XL),
    'segmind-vega': config([16, 32, 64], *XL_LEVELS, 24, attention_head_dim=[2, 4, 8], mid_block_type='UNetMidBlock2D',
                           transformer_layers_per_block=[1, [1, 1], [2, 2]],
                           reverse_transformer_layers_per_block=[[2, 2, 1], [1, 1, 1], 1], **XL),
    'koala-700m': config([16, 32, 64], *XL_LEVELS, 24, attention_head_dim=[2, 4, 8], mid_block_type=None,
                         layers_per_block=1, transformer_layers_per_block=[1, 2, 5], **XL),
    'koala-1b': config([16, 32, 64], *XL_LEVELS, 24, attention_head_dim=[2, 4, 8], layers_per_block=1,
                       transformer_layers_per_block=[1, 2, 6], **XL),
    'layers by level': config([16, 32, 32], [1, 0, 1], [0, 1, 1], 24, layers_per_block=[2, 1, 3], attention_head_dim=[2, 4, 8]),
    'attention without blocks': config([16, 32], [1, 1], [1, 1], 24, layers_per_block=1, attention_head_dim=4,
                                       transformer_layers_per_block=[0, 2]),
}


def hashed(name, shape):
    """Numbers from -1 to 1 that the name and the index decide."""
    x = (np.arange(int(np.prod(shape)), dtype=np.uint64) * 2654435761 + zlib.crc32(name.encode())) % 2**32
    for factor in [0x45D9F3B, 0x45D9F3B]:
        x = ((x ^ (x >> np.uint64(16))) * np.uint64(factor)) % 2**32
    x ^= x >> np.uint64(16)
    return torch.from_numpy((x.astype(np.float64) / 2**31 - 1).astype(np.float32).reshape(shape))


def weight(name, shape):
    if 'norm' in name:
        return hashed(name, shape) * 0.25 + (1 if name.endswith('weight') else 0)
    return hashed(name, shape) * np.float32(1.5 / max(16, np.prod(shape[1:])) ** 0.5)


def figures(name, options):
    model = UNet2DConditionModel(**options).eval()
    shapes = {key: list(tensor.shape) for key, tensor in model.state_dict().items()}
    model.load_state_dict({key: weight(key, shape) for key, shape in shapes.items()})
    added = {'text_embeds': hashed('text_embeds', [1, 16]), 'time_ids': torch.tensor([[64.0, 64, 0, 0, 64, 64]])}
    with torch.no_grad():
        out = model(hashed('sample', [1, 4, 8, 8]), 500, hashed('context', [1, 7, 24]), added_cond_kwargs=added).sample
    print(name, len(shapes), out.abs().max().item())
    return {'config': options, 'shapes': tree(shapes), 'output': [float(f'{value:.8g}') for value in out.flatten().tolist()]}


def tree(shapes):
    root = {}
    for name, shape in shapes.items():
        *path, last = name.split('.')
        node = root
        for part in path:
            node = node.setdefault(part, {})
        node[last] = shape
    return root


with open('small-members.json', 'w') as file:
    members = {name: figures(name, options) for name, options in MEMBERS.items()}
    file.write('{\n' + ',\n'.join(f'{json.dumps(name)}: {json.dumps(member, separators=(",", ":"))}' for name, member in members.items()) + '\n}\n')
