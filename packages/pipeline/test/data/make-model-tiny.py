"""Runs the embedded model in diffusers: the latents after every step, and the picture; and its decoder for previews.

usage: make-model-tiny.py      needs torch, diffusers, transformers; writes model-tiny/ beside this file
"""
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, EulerDiscreteScheduler, StableDiffusionPipeline
from safetensors.torch import save_file

here = Path(__file__).parent
model = here / '../../../model-tiny/model'
preview = here / '../../../model-tiny/preview'
out = here / 'model-tiny'
out.mkdir(exist_ok=True)

pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
ddim = pipe.scheduler
euler = EulerDiscreteScheduler.from_config(ddim.config)
latents = {}


def run(name, scheduler, **options):
    pipe.scheduler = scheduler

    def keep(pipe, step, timestep, values):
        latents[f'{name}.latents.{step}'] = values['latents'][0].clone()
        return values

    result = pipe(
        'a blue car on a road', num_inference_steps=8, width=128, height=128,
        generator=torch.Generator().manual_seed(1), callback_on_step_end=keep, **options)
    result.images[0].save(out / f'{name}.png')


run('ddim', ddim, guidance_scale=5)
run('euler', euler, guidance_scale=5)
run('rescaled', ddim, guidance_scale=5, guidance_rescale=0.7)
run('unguided', ddim, guidance_scale=1)

with torch.no_grad():
    seen = AutoencoderTiny.from_pretrained(preview, torch_dtype=torch.float32).decode(latents['ddim.latents.7'][None]).sample
pipe.image_processor.postprocess(seen)[0].save(out / 'preview.png')

# Sigma over alpha after each of Euler's steps: diffusers keeps its latents divided by alpha.
latents['euler.ratios'] = euler.sigmas[1:].to(torch.float32)
save_file(latents, out / 'latents.safetensors')
