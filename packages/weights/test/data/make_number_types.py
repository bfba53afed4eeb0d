"""Writes number-types/all.safetensors and all.pt: for each number type that torch and safetensors share, a tensor of
that type, and its values as torch casts them to float32 (`.f32`).

Run here: python make_number_types.py (torch 2.13, safetensors 0.8)
"""

import torch
from safetensors.torch import save_file

floats = [0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 3.0e-8, -6.0e-5, 447.0, -5.0e4, 1.0e39, 1.0 + 2.0**-24, 1.0 + 3 * 2.0**-25]
tensors = {}
for name in ['float64', 'float32', 'float16', 'bfloat16']:
    tensors[name] = torch.tensor(floats, dtype=torch.float64).to(getattr(torch, name))
for name in ['float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz']:
    tensors[name] = torch.arange(256, dtype=torch.uint8).view(getattr(torch, name))
for name in ['int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8']:
    limits = torch.iinfo(getattr(torch, name))
    values = [0, 1, 100, limits.max, limits.min, min(limits.max, 2**24 + 1), min(limits.max, 2**24 + 3)]
    tensors[name] = torch.tensor(values, dtype=getattr(torch, name))
tensors['bool'] = torch.tensor([False, True, True])

pairs = {f'{name}{end}': t for name, v in tensors.items() for end, t in [('', v), ('.f32', v.to(torch.float32).clone())]}
save_file(pairs, 'number-types/all.safetensors')
torch.save(pairs, 'number-types/all.pt')
