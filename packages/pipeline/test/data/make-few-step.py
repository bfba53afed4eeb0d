"""Latents of distilled and EDM models in diffusers, as their authors say: python make-few-step.py

Writes few-step.safetensors: the finished latents of each run on the small checkpoints of fixtures/.made, [4 or 16, 8, 12],
and of playground the image. Needs torch 2.13, diffusers 0.42, transformers 5.23, peft 0.21.
"""
import pathlib
import sys
import warnings

warnings.filterwarnings('ignore')
import torch
from diffusers import (
    AnimateDiffPipeline, DDIMScheduler, EDMDPMSolverMultistepScheduler, EDMEulerScheduler, EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler, LCMScheduler, MotionAdapter, StableDiffusion3Pipeline,
    StableDiffusionPipeline, StableDiffusionXLPipeline, TCDScheduler,
)
from safetensors.torch import load_file, save_file

here = pathlib.Path(__file__).resolve().parent
made = here.parents[3] / 'fixtures/.made'
sys.path.insert(0, str(here.parents[3] / 'fixtures/python'))
from lora import kohya_layers_xl, merge_kohya
torch.set_grad_enabled(False)
figures = {}


def draw(name, pipeline, model, scheduler, steps, changes={}, lora=False, guidance=0.0, output='latent', vae={}, parts={}, **options):
    p = pipeline.from_pretrained(made / 'models' / model, **parts)
    p.set_progress_bar_config(disable=True)
    if scheduler is not None:
        p.scheduler = scheduler.from_config(p.scheduler.config, **changes)
    if vae:
        p.vae.register_to_config(**vae)
    if lora:
        # diffusers cannot map the original block names of such a small U-Net, so that file is merged.
        if model == 'sdxl': merge_kohya(kohya_layers_xl(p), load_file(made / 'adapters/lora-sdxl/style.safetensors'), 1.0)
        else: p.load_lora_weights(made / 'adapters/lora-peft', weight_name='pytorch_lora_weights.safetensors')
    if guidance > 1:
        options['negative_prompt'] = 'pixel art'
    out = p('a blue car on a road', width=96, height=64, num_inference_steps=steps, guidance_scale=guidance,
            generator=torch.Generator('cpu').manual_seed(42), output_type=output, **options)
    values = out.frames if hasattr(out, 'frames') else out.images
    figures[name] = torch.as_tensor(values).float().squeeze(0).contiguous().clone()
    print(name, tuple(figures[name].shape), float(figures[name].std()))


sd, xl, sd3 = StableDiffusionPipeline, StableDiffusionXLPipeline, StableDiffusion3Pipeline
# clip_sample is false in the configs of the full models.
trailing = dict(timestep_spacing='trailing', clip_sample=False)

draw('lightning', xl, 'sdxl', EulerDiscreteScheduler, 4, trailing)
draw('lightning-x0', xl, 'sdxl', EulerDiscreteScheduler, 1, dict(trailing, prediction_type='sample'))
draw('lightning-lora', xl, 'sdxl', EulerDiscreteScheduler, 8, trailing, lora=True)
draw('koala', xl, 'sdxl', EulerDiscreteScheduler, 10, trailing, guidance=3.5)
draw('hyper-unet', xl, 'sdxl', LCMScheduler, None, timesteps=[800])
draw('hyper-lora', xl, 'sdxl', TCDScheduler, 1, lora=True, eta=1.0)
draw('hyper-steps', xl, 'sdxl', DDIMScheduler, 4, trailing, lora=True)
draw('hyper-cfg', sd, 'sd1', DDIMScheduler, 8, trailing, lora=True, guidance=5.0)
draw('dmd2', xl, 'sdxl', LCMScheduler, None, lora=True, timesteps=[999, 749, 499, 249])
draw('dmd2-unet', xl, 'sdxl', LCMScheduler, None, timesteps=[399])
draw('pcm', sd, 'sd1', DDIMScheduler, 4, dict(trailing, set_alpha_to_one=False), lora=True)
draw('pcm-cfg', sd, 'sd1', DDIMScheduler, 8, dict(trailing, set_alpha_to_one=False), lora=True, guidance=7.5)
draw('tcd', xl, 'sdxl', TCDScheduler, 4, lora=True, eta=0.3)
draw('turbo', xl, 'sdxl', EulerAncestralDiscreteScheduler, 1, trailing)
draw('turbo-merge', sd, 'sd1', EulerAncestralDiscreteScheduler, 4, trailing)
draw('lcm-lora', sd, 'sd1', LCMScheduler, 4, lora=True)
draw('flash', xl, 'sdxl', LCMScheduler, 4, lora=True)
draw('sdxs', sd, 'sd1', EulerDiscreteScheduler, 1, trailing)
draw('sd3-turbo', sd3, 'sd3', None, 4)
draw('sd3-hyper', sd3, 'sd3', None, 8, guidance=5.0)
draw('sd3-flash', sd3, 'sd3', FlowMatchEulerDiscreteScheduler, 4, dict(stochastic_sampling=True))

motion = dict(motion_adapter=MotionAdapter.from_pretrained(made / 'adapters/animatediff/motion'))
linear = dict(beta_schedule='linear')
draw('animatediff-lightning', AnimateDiffPipeline, 'sd1', EulerDiscreteScheduler, 4, dict(trailing, **linear), guidance=1.0, num_frames=4, parts=motion)
draw('animatelcm', AnimateDiffPipeline, 'sd1', LCMScheduler, 6, linear, guidance=2.0, num_frames=4, parts=motion)

cosxl = dict(sigma_min=0.002, sigma_max=120.0, sigma_data=1.0, prediction_type='v_prediction', sigma_schedule='exponential')
playground = dict(sigma_min=0.002, sigma_max=80.0, sigma_data=0.5, prediction_type='epsilon', sigma_schedule='karras')
statistics = dict(scaling_factor=0.5, latents_mean=[-1.6574, 1.886, -1.383, 2.5155], latents_std=[8.4927, 5.9022, 6.5498, 5.2299])
draw('cosxl', xl, 'sdxl', EDMEulerScheduler, 4, cosxl, guidance=7.5)
draw('playground', xl, 'sdxl', EDMDPMSolverMultistepScheduler, 4, playground, guidance=3.0)
draw('playground-image', xl, 'sdxl', EDMDPMSolverMultistepScheduler, 4, playground, guidance=3.0, output='pt', vae=statistics)

save_file(figures, here / 'few-step.safetensors')
