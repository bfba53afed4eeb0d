"""Runs the embedded model in diffusers, also with its LoRA for four steps, its ControlNet and its U-Net for inpainting: the
latents after every step, and the picture; and its decoder for previews.

usage: make-model-tiny.py      needs torch, diffusers, transformers, peft, opencv-python-headless; writes model-tiny/ beside
this file
"""
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import (
    AutoencoderTiny, ControlNetModel, EulerDiscreteScheduler, LCMScheduler, StableDiffusionControlNetPipeline,
    StableDiffusionInpaintPipeline, StableDiffusionPipeline, UNet2DConditionModel,
)
from PIL import Image
from safetensors.torch import load_file, save_file

here = Path(__file__).parent
model = here / '../../../model-tiny/model'
control = here / '../../../model-tiny-controlnet/model'
inpainting = here / '../../../model-tiny-inpaint/weights/difference.safetensors'
lcm = here / '../../../model-tiny/lcm'
preview = here / '../../../model-tiny/preview'
out = here / 'model-tiny'
out.mkdir(exist_ok=True)

pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
ddim = pipe.scheduler
euler = EulerDiscreteScheduler.from_config(ddim.config)
latents = {}


def run(name, scheduler, prompt='a blue car on a road', steps=8, **options):
    pipe.scheduler = scheduler

    def keep(pipe, step, timestep, values):
        latents[f'{name}.latents.{step}'] = values['latents'][0].clone()
        return values

    result = pipe(
        prompt, num_inference_steps=steps, width=128, height=128,
        generator=torch.Generator().manual_seed(1), callback_on_step_end=keep, **options)
    result.images[0].save(out / f'{name}.png')


run('ddim', ddim, guidance_scale=5)
run('euler', euler, guidance_scale=5)
run('rescaled', ddim, guidance_scale=5, guidance_rescale=0.7)
run('unguided', ddim, guidance_scale=1)
pipe.load_lora_weights(lcm, weight_name='lcm.safetensors')
run('lcm', LCMScheduler.from_config(ddim.config), steps=4, guidance_scale=1)
pipe.unload_lora_weights()

controlled = ControlNetModel.from_pretrained(control, torch_dtype=torch.float32)
parts = {**pipe.components, 'requires_safety_checker': False}
pipe = StableDiffusionControlNetPipeline(**parts, controlnet=controlled)
pipe.set_progress_bar_config(disable=True)
edges = Image.fromarray(cv2.Canny(np.asarray(Image.open(out / 'ddim.png')), 100, 200)).convert('RGB')
edges.save(out / 'edges-given.png')
run('edges', ddim, 'a green car in the snow', image=edges, controlnet_conditioning_scale=0.8, guidance_scale=5)



def for_inpainting(unet, difference):
    """What the package's build makes, made here without it, so that the build is held to it."""
    weights = unet.state_dict()
    for name, value in weights.items():
        layer = name.removesuffix('.weight')
        if name in difference:
            weights[name] = difference[name].float()
        elif f'{layer}.lora_A.weight' in difference:
            down, up = (difference[f'{layer}.{part}.weight'].float().flatten(1) for part in ('lora_A', 'lora_B'))
            weights[name] = (value + (up @ down).view_as(value)).half().float()
    wide = UNet2DConditionModel.from_config({**unet.config, 'in_channels': weights['conv_in.weight'].shape[1]}).eval()
    wide.load_state_dict(weights)
    return wide


repainting = for_inpainting(parts['unet'], load_file(inpainting))
pipe = StableDiffusionInpaintPipeline(**{**parts, 'unet': repainting})
pipe.set_progress_bar_config(disable=True)
mask = Image.new('L', (128, 128))
mask.paste(255, (16, 24, 112, 104))
mask.save(out / 'mask-given.png')
given = Image.open(out / 'ddim.png')
run('inpaint', ddim, 'a red truck on a road', image=given, mask_image=mask, guidance_scale=5)

with torch.no_grad():
    seen = AutoencoderTiny.from_pretrained(preview, torch_dtype=torch.float32).decode(latents['ddim.latents.7'][None]).sample
pipe.image_processor.postprocess(seen)[0].save(out / 'preview.png')

# Sigma over alpha after each of Euler's steps: diffusers keeps its latents divided by alpha.
latents['euler.ratios'] = euler.sigmas[1:].to(torch.float32)
save_file(latents, out / 'latents.safetensors')
