"""Pictures of a model folder, in batches: DDIM with classifier-free guidance, as the folder's scheduler says; or latent
consistency, with a LoRA for it."""
import json

import torch
from diffusers import AutoencoderKL, DDIMScheduler, LCMScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer

from train.common import DEVICE, autocast, to_device
from train.latents import tokenize


class Model:
    def __init__(self, folder, lcm=None):
        self.scheduler = (LCMScheduler if lcm else DDIMScheduler).from_pretrained(folder + '/scheduler')
        self.tokenizer = CLIPTokenizer.from_pretrained(folder + '/tokenizer')
        self.text = to_device(CLIPTextModel.from_pretrained(folder + '/text_encoder')).eval()
        self.unet = to_device(UNet2DConditionModel.from_pretrained(folder + '/unet')).eval()
        if lcm:
            self.unet.load_lora_adapter(load_file(lcm), prefix='unet')
        self.vae = to_device(AutoencoderKL.from_pretrained(folder + '/vae')).eval()

    def predict(self, x, t, words):
        return self.unet(x, t, words).sample

    def stepped(self, x, t):
        """The latents of a step, at the time of the next one; None after the last."""
        return x

    @torch.no_grad()
    def latents(self, prompts, seeds, steps=20, guidance=5.0):
        """float32 [n, 4, side, side]; a prompt's first noise goes by its seed alone, so batches do not matter."""
        scheduler = self.scheduler
        scheduler.set_timesteps(steps)
        side = self.unet.config.sample_size
        noise = [torch.randn(4, side, side, generator=torch.Generator().manual_seed(s)) for s in seeds]
        x = torch.stack(noise).to(DEVICE)
        guided = guidance > 1
        with autocast():
            ids = tokenize(self.tokenizer, [''] * (len(prompts) if guided else 0) + list(prompts)).to(DEVICE)
            words = self.text(ids).last_hidden_state
            for t, after in zip(scheduler.timesteps, (*scheduler.timesteps[1:], None)):
                both = torch.cat([x, x]) if guided else x
                said = self.predict(both.contiguous(memory_format=torch.channels_last), t, words).float()
                if guided:
                    without, said = said.chunk(2)
                    said = without + guidance * (said - without)
                x = self.stepped(scheduler.step(said, t, x).prev_sample, after)
        return x

    @torch.no_grad()
    def decode(self, latents):
        """uint8 [n, 128, 128, 3]."""
        with autocast():
            y = self.vae.decode(latents / self.vae.config.scaling_factor).sample.float()
        return ((y.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu()

    def draw(self, prompts, seeds, steps=20, guidance=5.0, batch=32):
        pictures = []
        for i in range(0, len(prompts), batch):
            pictures.append(self.decode(self.latents(prompts[i : i + batch], seeds[i : i + batch], steps, guidance)))
            print(f'{i + len(pictures[-1])} of {len(prompts)}, {steps} steps, guidance {guidance}', flush=True)
        return torch.cat(pictures).numpy()


def write_json(path, value):
    with open(path, 'w') as file:
        json.dump(value, file, indent=1)
        file.write('\n')
