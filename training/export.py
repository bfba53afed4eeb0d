"""Packs trained parts as a model folder in diffusers' layout, float16.

usage: python export.py OUT --unet DIR --vae DIR --tokenizer DIR       DIR of --unet holds unet, text_encoder, scheduler
       python export.py OUT --only DIR                                 one part: a ControlNet, a preview decoder
"""
import argparse
import json
import os
import shutil

import diffusers
from safetensors.torch import load_file, save_file

LIMIT = 45e6
PARTS = {
    'scheduler': ('diffusers', 'DDIMScheduler'), 'text_encoder': ('transformers', 'CLIPTextModel'),
    'tokenizer': ('transformers', 'CLIPTokenizer'), 'unet': ('diffusers', 'UNet2DConditionModel'),
    'vae': ('diffusers', 'AutoencoderKL'),
}


def copy_part(source, out):
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(source):
        if name.endswith('.safetensors'):
            half = {k: v.half().contiguous() for k, v in load_file(f'{source}/{name}').items()}
            save_file(half, f'{out}/{name}', {'format': 'pt'})
        elif name.endswith(('.json', '.txt')):
            shutil.copy(f'{source}/{name}', f'{out}/{name}')
    configs = [f'{out}/{name}' for name in ('config.json', 'tokenizer_config.json')]
    for path in filter(os.path.exists, configs):
        with open(path) as file:
            config = json.load(file)
        config.pop('_name_or_path', None)  # a path of this machine
        if 'dtype' in config:
            config['dtype'] = 'float16'
        with open(path, 'w') as file:
            json.dump(config, file, indent=2)
            file.write('\n')


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('out')
    for part in ('unet', 'vae', 'tokenizer'):
        a.add_argument('--' + part)
    a.add_argument('--only')
    a = a.parse_args()
    if a.only:
        return copy_part(a.only, a.out)
    if not (a.unet and a.vae and a.tokenizer):
        raise SystemExit('--unet, --vae and --tokenizer, or --only')
    for part in ('unet', 'text_encoder', 'scheduler'):
        copy_part(f'{a.unet}/{part}', f'{a.out}/{part}')
    copy_part(a.vae, f'{a.out}/vae')
    copy_part(a.tokenizer, f'{a.out}/tokenizer')
    index = {'_class_name': 'StableDiffusionPipeline', '_diffusers_version': diffusers.__version__, **PARTS,
             'feature_extractor': (None, None), 'safety_checker': (None, None), 'requires_safety_checker': False}
    with open(f'{a.out}/model_index.json', 'w') as file:
        json.dump(dict(sorted(index.items())), file, indent=2)
        file.write('\n')
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(a.out) for f in files)
    print(f'{size / 1e6:.1f} MB')
    if size > LIMIT:
        raise SystemExit(f'larger than {LIMIT / 1e6:.0f} MB')


if __name__ == '__main__':
    main()
