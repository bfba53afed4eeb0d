"""Low-rank adapters (Hu et al. 2021, arXiv 2106.09685) of a U-Net's layers, which stay as they are."""
import copy

import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

LAYERS = ['to_q', 'to_k', 'to_v', 'to_out.0', 'ff.net.0.proj', 'ff.net.2', 'conv1', 'conv2', 'conv_in', 'conv_out']


def add_adapters(unet, rank, layers=LAYERS):
    """The same U-Net, of which only new adapters are trained."""
    unet.requires_grad_(False).add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=layers))
    return unet


def trained(unet):
    return [p for p in unet.parameters() if p.requires_grad]


def adapters(unet):
    """Their tensors, float16, by PEFT's names."""
    return {name: value.half().contiguous() for name, value in get_peft_model_state_dict(unet).items()}


def cut(layers, rank):
    """Adapters of a lower rank: the nearest, by their singular values."""
    layers = dict(layers)
    for name in [name for name in layers if name.endswith('lora_A.weight')]:
        other = name.replace('lora_A', 'lora_B')
        down, up = layers[name].float(), layers[other].float()
        u, s, v = torch.linalg.svd(up.flatten(1) @ down.flatten(1), full_matrices=False)
        u, s, v = u[:, :rank], s[:rank].sqrt(), v[:rank]
        layers[name] = (s[:, None] * v).reshape(rank, *down.shape[1:]).half().contiguous()
        layers[other] = (u * s).reshape(len(up), rank, *up.shape[2:]).half().contiguous()
    return layers


def save_lora(unet, folder, name, rank=None):
    """As diffusers' `save_lora_weights` has it: FOLDER/NAME.safetensors, the U-Net's part alone; cut to a rank, if given."""
    layers = adapters(unet) if rank is None else cut(adapters(unet), rank)
    StableDiffusionPipeline.save_lora_weights(folder, layers, weight_name=name + '.safetensors')


@torch.no_grad()
def merged(unet):
    """A U-Net without adapters, whose weights hold theirs."""
    unet = copy.deepcopy(unet)
    unet.fuse_lora()
    unet.unload_lora()
    return unet
