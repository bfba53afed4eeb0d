"""Layers as LyCORIS changes them, written as lycoris.json: python make_lycoris.py (lycoris-lora 4.1.3, torch on the CPU).

For each kind of layer: its weight and bias, and an input x. For each case: the tensors that LyCORIS saves, and the layer's
output as it is in training, at strength 1 and, without magnitudes, at 0.6. Rescaled OFT is compared at 1 alone: LyCORIS counts `rescale` in full
at every strength.
"""

import base64
import copy
import json

import torch
from lycoris.modules.boft import ButterflyOFTModule
from lycoris.modules.diag_oft import DiagOFTModule
from lycoris.modules.full import FullModule
from lycoris.modules.glora import GLoRAModule
from lycoris.modules.ia3 import IA3Module
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule

torch.manual_seed(5)
layers = {}
cases = []
types = {torch.float32: "F32", torch.int64: "I64"}


def stored(value):
    value = value.detach().contiguous()
    return [types[value.dtype], list(value.shape), base64.b64encode(value.numpy().tobytes()).decode()]


def layer(kind):
    if kind == "linear":
        return torch.nn.Linear(12, 16), torch.randn(1, 3, 12)
    if kind == "square":
        return torch.nn.Linear(12, 12), torch.randn(1, 3, 12)
    if kind == "conv":
        return torch.nn.Conv2d(6, 16, 3, padding=1), torch.randn(1, 6, 4, 3)
    if kind == "strided":
        return torch.nn.Conv2d(6, 16, 3, padding=1, stride=2), torch.randn(1, 6, 4, 3)
    if kind == "pointwise":
        return torch.nn.Conv2d(12, 16, 1), torch.randn(1, 12, 3, 2)
    if kind == "layernorm":
        return torch.nn.LayerNorm(12), torch.randn(1, 3, 12)
    return torch.nn.GroupNorm(3, 12), torch.randn(1, 12, 4, 3)


@torch.no_grad()
def new_layer(kind):
    original, x = layer(kind)
    for value in original.parameters():
        value.copy_(torch.randn_like(value))
    layers[kind] = original, x
    return original, x


@torch.no_grad()
def case(name, kind, cls, strengths=(1, 0.6), spread=0.5, **options):
    module, x = layers[kind] if kind in layers else new_layer(kind)
    original = copy.deepcopy(module)
    change = cls("layer", original, 1.0, **options)
    for value in change.parameters():
        if value.shape == getattr(change, "dora_scale", torch.zeros(0)).shape and value is change.dora_scale:
            value.mul_(torch.rand_like(value) + 0.5)
        else:
            value.copy_(torch.randn_like(value) * spread)
    change.apply_to()
    saved = change.custom_state_dict() if hasattr(change, "custom_state_dict") else None
    saved = saved or change.state_dict()
    outputs = {}
    for strength in strengths:
        change.multiplier = strength
        outputs[strength] = stored(original(x))
    tensors = {key: stored(value) for key, value in saved.items()}
    cases.append({"name": name, "layer": kind, "tensors": tensors, "outputs": outputs})


for kind in ("linear", "conv"):
    case("full", kind, FullModule)
    case("lora", kind, LoConModule, lora_dim=3, alpha=2)
    case("lora-dora", kind, LoConModule, (1,), lora_dim=3, alpha=2, weight_decompose=True, wd_on_out=True)
    case("lora-dora-by-input", kind, LoConModule, (1,), lora_dim=3, alpha=2, weight_decompose=True, wd_on_out=False)
    case("loha", kind, LohaModule, lora_dim=2, alpha=3)
    case("loha-dora-by-input", kind, LohaModule, (1,), lora_dim=2, alpha=3, weight_decompose=True, wd_on_out=False)
    case("lokr", kind, LokrModule, lora_dim=1, alpha=2, factor=4)
    case("lokr-both", kind, LokrModule, lora_dim=1, alpha=2, factor=4, decompose_both=True)
    case("lokr-whole", kind, LokrModule, lora_dim=100, alpha=2, factor=2, full_matrix=True)
    case("lokr-dora-by-input", kind, LokrModule, (1,), lora_dim=1, alpha=2, factor=4, weight_decompose=True, wd_on_out=False)
    case("glora", kind, GLoRAModule, lora_dim=3, alpha=2)
    case("oft", kind, DiagOFTModule, lora_dim=4)
    case("oft-limited", kind, DiagOFTModule, lora_dim=4, constraint=0.05)
    case("oft-rescaled", kind, DiagOFTModule, (1,), lora_dim=4, rescaled=True)
    case("boft", kind, ButterflyOFTModule, lora_dim=4)
    case("boft-limited", kind, ButterflyOFTModule, lora_dim=4, constraint=0.05)
    case("boft-rescaled", kind, ButterflyOFTModule, (1,), lora_dim=4, rescaled=True)
    case("ia3", kind, IA3Module)
    case("ia3-on-input", kind, IA3Module, train_on_input=True)
case("ia3", "square", IA3Module)
case("ia3-on-input", "square", IA3Module, train_on_input=True)
case("glora", "strided", GLoRAModule, lora_dim=3, alpha=2)
case("oft", "strided", DiagOFTModule, lora_dim=4)
case("ia3-on-input", "strided", IA3Module, train_on_input=True)
case("lora-dora-by-input", "strided", LoConModule, (1,), lora_dim=3, alpha=2, weight_decompose=True, wd_on_out=False)
case("lora-dora-by-input", "pointwise", LoConModule, (1,), lora_dim=3, alpha=2, weight_decompose=True, wd_on_out=False)
case("boft", "pointwise", ButterflyOFTModule, lora_dim=8)
case("lora-tucker", "conv", LoConModule, lora_dim=3, alpha=2, use_tucker=True)
case("lora-tucker-dora-by-input", "conv", LoConModule, (1,), lora_dim=3, alpha=2, use_tucker=True, weight_decompose=True, wd_on_out=False)
case("loha-tucker", "conv", LohaModule, lora_dim=2, alpha=3, use_tucker=True)
case("lokr-tucker", "conv", LokrModule, lora_dim=1, alpha=2, factor=2, use_tucker=True)
case("norm", "layernorm", NormModule)
case("norm", "groupnorm", NormModule)

kinds = {
    kind: {"weight": stored(module.weight), "bias": stored(module.bias), "x": stored(x)}
    for kind, (module, x) in layers.items()
}
with open("lycoris.json", "w") as file:
    json.dump({"layers": kinds, "cases": cases}, file)
    file.write("\n")
