"""Text encoder and U-Net, trained together to predict v.

usage: python -m train.unet DATA --out DIR [--from MODEL] [--minutes 60] [--share STYLE=0.1]
reads DATA.latents.pt and DATA.json; writes DIR/unet, DIR/text_encoder and DIR/scheduler, averaged weights in float32.
Begins anew, or from the weights of a model folder with a fresh optimizer; goes on where DIR/state.pt stands.
"""
import argparse

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from .common import DEVICE, autocast, start, to_device
from .latents import Latents
from .loop import Loop, add_options
from .noise import STEPS, Noise, schedule
from .shares import add_share, chances

WIDTH = 256  # of the words


def new_text_encoder(vocabulary, length):
    end = vocabulary - 1
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=4, num_attention_heads=4,
        max_position_embeddings=length, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end, projection_dim=WIDTH,
        hidden_act='quick_gelu',
    ))


def new_unet(channels=(64, 128, 256), layers=1):
    middle = len(channels) - 2
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=channels, layers_per_block=layers,
        down_block_types=['DownBlock2D'] + ['CrossAttnDownBlock2D'] * middle + ['DownBlock2D'],
        up_block_types=['UpBlock2D'] + ['CrossAttnUpBlock2D'] * middle + ['UpBlock2D'],
        cross_attention_dim=WIDTH, attention_head_dim=8, norm_num_groups=32,
    )


def load_models(folder):
    text = CLIPTextModel.from_pretrained(folder + '/text_encoder')
    return to_device(UNet2DConditionModel.from_pretrained(folder + '/unet')), to_device(text)


@torch.no_grad()
def unseen_loss(unet, text, latents, noise, count, batch=64):
    """v loss of the last `count` pictures, which are not trained on, at the same times and noises always."""
    generator, losses = torch.Generator().manual_seed(1), []
    for at in torch.arange(count, device=DEVICE).split(batch):
        z, ids = latents.means(at - count)
        t = at * STEPS // count
        noisy, v = noise.add(z, t, torch.randn(z.shape, generator=generator).to(DEVICE))
        with autocast():
            said = unet(noisy, t, text(ids).last_hidden_state).sample
        losses.append(((said.float() - v) ** 2).mean((1, 2, 3)))
    return torch.cat(losses).mean().item()


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--from', dest='source')
    add_share(a)
    add_options(a, minutes=60, lr=6e-4, batch=32)
    a = a.parse_args()
    start(1)
    latents, noise = Latents(a.data + '.latents.pt'), Noise()
    unseen = min(512, len(latents) // 8)
    taken = torch.tensor(chances(a.data, a.share)[: len(latents) - unseen], device=DEVICE)
    if a.source:
        unet, text = load_models(a.source)
    else:
        unet, text = map(to_device, (new_unet(), new_text_encoder(latents.vocabulary, latents.ids.shape[1])))
    for module in (unet, text):
        module.train()

    def export(unet, text):
        unet.save_pretrained(a.out + '/unet')
        text.save_pretrained(a.out + '/text_encoder')
        schedule().save_pretrained(a.out + '/scheduler')

    loop = Loop(a, [unet, text], export, report=250, inspect=lambda *m: f'unseen {unseen_loss(*m, latents, noise, unseen):.4f}')
    run_unet, run_text = loop.compiled(unet), loop.compiled(text)
    for _ in loop:
        z, ids = latents.at(torch.multinomial(taken, a.batch, replacement=True))
        t = noise.times(a.batch)
        noisy, v = noise.add(z, t, torch.randn_like(z))
        with autocast():
            said = run_unet(noisy, t, run_text(ids).last_hidden_state).sample
        loop.update(*noise.loss(said, v, t))


if __name__ == '__main__':
    main()
