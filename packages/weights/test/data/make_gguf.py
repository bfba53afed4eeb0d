"""Writes gguf/all.gguf: for each type of ggml that is read, a tensor of random blocks, and beside it its values as the
package gguf gives them (`.f32`).

Run here: python make_gguf.py (gguf 0.19, numpy)
"""

import os

import gguf
import numpy as np

random = np.random.default_rng(0)
os.makedirs('gguf', exist_ok=True)
writer = gguf.GGUFWriter('gguf/all.gguf', 'sdxl')
writer.add_array('a.list.of.texts', ['one', 'two'])
writer.add_array('a.long.list', list(range(100)))
writer.add_float32('a.number', 0.5)
writer.add_bool('a.flag', True)
writer.add_array('comfy.gguf.orig_shape.reshaped', [2, 4, 8])
writer.add_tensor('reshaped', np.arange(64, dtype=np.float32).reshape(2, 32))
writer.add_tensor('conv', np.arange(2 * 3 * 3, dtype=np.float16).reshape(2, 1, 3, 3))
writer.add_tensor('double', np.array([0.1, 1 / 3]))

# Offsets of the half-precision scales in each block, which random bytes could make infinite.
HALVES = {
    'Q4_0': [0], 'Q4_1': [0, 2], 'Q5_0': [0], 'Q5_1': [0, 2], 'Q8_0': [0],
    'Q2_K': [80, 82], 'Q3_K': [108], 'Q4_K': [0, 2], 'Q5_K': [0, 2], 'Q6_K': [208],
}
for name, halves in HALVES.items():
    kind = gguf.GGMLQuantizationType[name]
    count, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (3, size), dtype=np.uint8)
    for at in halves:
        blocks[:, at:at + 2] = random.normal(0, 0.1, (3, 1)).astype(np.float16).view(np.uint8)
    writer.add_tensor(name, blocks, raw_dtype=kind)
    writer.add_tensor(f'{name}.f32', gguf.quants.dequantize(blocks, kind).astype(np.float32))
values = random.normal(0, 1, 32).astype(np.float32)
brain = gguf.quants.quantize(values, gguf.GGMLQuantizationType.BF16)
writer.add_tensor('BF16', brain, raw_dtype=gguf.GGMLQuantizationType.BF16)
writer.add_tensor('BF16.f32', gguf.quants.dequantize(brain, gguf.GGMLQuantizationType.BF16))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
