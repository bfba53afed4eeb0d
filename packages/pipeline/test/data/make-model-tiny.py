"""Runs the embedded model in diffusers, and with its ControlNet: the latents after every step, and the picture; and its
decoder for previews.

usage: make-model-tiny.py      needs torch, diffusers, transformers, opencv-python-headless; writes model-tiny/ beside this file
"""
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import (
    AutoencoderTiny, ControlNetModel, EulerDiscreteScheduler, StableDiffusionControlNetPipeline, StableDiffusionPipeline,
)
from PIL import Image
from safetensors.torch import save_file

here = Path(__file__).parent
model = here / '../../../model-tiny/model'
control = here / '../../../model-tiny-controlnet/model'
preview = here / '../../../model-tiny/preview'
out = here / 'model-tiny'
out.mkdir(exist_ok=True)

pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
ddim = pipe.scheduler
euler = EulerDiscreteScheduler.from_config(ddim.config)
latents = {}


def run(name, scheduler, prompt='a blue car on a road', **options):
    pipe.scheduler = scheduler

    def keep(pipe, step, timestep, values):
        latents[f'{name}.latents.{step}'] = values['latents'][0].clone()
        return values

    result = pipe(
        prompt, num_inference_steps=8, width=128, height=128,
        generator=torch.Generator().manual_seed(1), callback_on_step_end=keep, **options)
    result.images[0].save(out / f'{name}.png')


run('ddim', ddim, guidance_scale=5)
run('euler', euler, guidance_scale=5)
run('rescaled', ddim, guidance_scale=5, guidance_rescale=0.7)
run('unguided', ddim, guidance_scale=1)

controlled = ControlNetModel.from_pretrained(control, torch_dtype=torch.float32)
pipe = StableDiffusionControlNetPipeline(**pipe.components, controlnet=controlled, requires_safety_checker=False)
pipe.set_progress_bar_config(disable=True)
edges = Image.fromarray(cv2.Canny(np.asarray(Image.open(out / 'ddim.png')), 100, 200)).convert('RGB')
edges.save(out / 'edges-given.png')
run('edges', ddim, 'a green car in the snow', image=edges, controlnet_conditioning_scale=0.8, guidance_scale=5)

with torch.no_grad():
    seen = AutoencoderTiny.from_pretrained(preview, torch_dtype=torch.float32).decode(latents['ddim.latents.7'][None]).sample
pipe.image_processor.postprocess(seen)[0].save(out / 'preview.png')

# Sigma over alpha after each of Euler's steps: diffusers keeps its latents divided by alpha.
latents['euler.ratios'] = euler.sigmas[1:].to(torch.float32)
save_file(latents, out / 'latents.safetensors')
