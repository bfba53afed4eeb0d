"""Writes image-projection.json beside itself: small projections of IP-Adapters of each kind in their authors' names, and
what diffusers makes of vectors with them. Files are Base64 of safetensors, and of what torch saves for `plain.bin`.
`python make_image_projection.py`, with torch, diffusers and safetensors."""
import base64
import io
import json
import pathlib

import torch
from diffusers.loaders import UNet2DConditionLoadersMixin
from safetensors.torch import save

torch.manual_seed(0)
b64 = lambda data: base64.b64encode(bytes(data)).decode()
values = lambda tensor: {"dims": list(tensor.shape), "values": b64(tensor.detach().numpy().tobytes())}
normal = lambda *shape: torch.randn(*shape) * 0.3
norm = lambda name, width: {f"{name}.weight": 1 + normal(width), f"{name}.bias": normal(width)}
linear = lambda name, out, width: {f"{name}.weight": normal(out, width), f"{name}.bias": normal(out)}


def plus(width, inner, out, count, depth, heads):
    tensors = {"latents": normal(1, count, inner), **linear("proj_in", inner, width), **linear("proj_out", out, inner), **norm("norm_out", out)}
    for i in range(depth):
        at = f"layers.{i}"
        tensors |= {
            **norm(f"{at}.0.norm1", inner), **norm(f"{at}.0.norm2", inner),
            f"{at}.0.to_q.weight": normal(64 * heads, inner), f"{at}.0.to_kv.weight": normal(128 * heads, inner), f"{at}.0.to_out.weight": normal(inner, 64 * heads),
            **norm(f"{at}.1.0", inner), f"{at}.1.1.weight": normal(4 * inner, inner), f"{at}.1.3.weight": normal(inner, 4 * inner)}
    return tensors


kinds = {
    "plain": ({**linear("proj", 4 * 6, 5), **norm("norm", 6)}, normal(2, 5)),
    # diffusers names only four layers.
    "plus": (plus(5, 8, 6, 3, 4, 1), normal(2, 7, 5)),
    "full": ({**linear("proj.0", 5, 5), **linear("proj.2", 6, 5), **norm("proj.3", 6)}, normal(2, 7, 5)),
}


class Loader(UNet2DConditionLoadersMixin):
    device, dtype = "cpu", torch.float32


golden = {}
for kind, (tensors, image) in kinds.items():
    model = Loader()._convert_ip_adapter_image_proj_to_diffusers(dict(tensors), low_cpu_mem_usage=False).eval()
    with torch.no_grad(): tokens = model(image)
    golden[kind] = {"file": b64(save({f"image_proj.{name}": tensor.contiguous() for name, tensor in tensors.items()})), "image": values(image), "tokens": values(tokens)}
torch.save({"image_proj": kinds["plain"][0], "ip_adapter": {"1.to_k_ip.weight": normal(4, 6), "1.to_v_ip.weight": normal(4, 6)}}, file := io.BytesIO())
golden["plain"]["bin"] = b64(file.getvalue())
pathlib.Path(__file__).with_name("image-projection.json").write_text(json.dumps(golden) + "\n")
