"""Names and shapes of full-size checkpoints in the original one-file layout, as trees: {"model": {"diffusion_model": {...: shape}}}.

usage: make-headers.py CONFIGS OUT     CONFIGS has sd15, sd21 and sdxl in diffusers' layout; needs torch, diffusers, transformers
OUT/configs.json gets the configs themselves. No weights are made. What diffusers' own converters make of the names is compared with its models.
"""
import json, sys
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders import single_file_utils as sf
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

CONFIGS, OUT = sys.argv[1:3]
config = lambda path: {k: v for k, v in json.load(open(f'{CONFIGS}/{path}/config.json')).items() if not k.startswith('_')}
RESNET = {'norm1': 'in_layers.0', 'conv1': 'in_layers.2', 'time_emb_proj': 'emb_layers.1', 'norm2': 'out_layers.0', 'conv2': 'out_layers.3', 'conv_shortcut': 'skip_connection'}
TOP = {'time_embedding.linear_1': 'time_embed.0', 'time_embedding.linear_2': 'time_embed.2', 'add_embedding.linear_1': 'label_emb.0.0', 'add_embedding.linear_2': 'label_emb.0.2', 'conv_in': 'input_blocks.0.0', 'conv_norm_out': 'out.0', 'conv_out': 'out.2'}


def shapes(model, settings):
    with torch.device('meta'): return {k: v for k, v in model(settings).state_dict().items() if 'position_ids' not in k}


def unet(settings):
    """diffusers numbers blocks by level, the original one after the other."""
    with torch.device('meta'): state = UNet2DConditionModel(**settings).state_dict()
    layers, out = settings['layers_per_block'], {}
    crossed = {i for i, kind in enumerate(settings['up_block_types']) if kind.startswith('Cross')}
    for name, tensor in state.items():
        module, kind = name.rsplit('.', 1)
        s = module.split('.')
        if module in TOP: new = TOP[module]
        elif s[0] == 'mid_block':
            new = f'middle_block.1.{".".join(s[3:])}' if s[1] == 'attentions' else f'middle_block.{2 * int(s[2])}.{RESNET[s[3]]}'
        else:
            down, level, index, rest = s[0] == 'down_blocks', int(s[1]), int(s[3]), '.'.join(s[4:])
            at = f'{"input" if down else "output"}_blocks.{(layers + 1) * level + index + down}'
            if s[2] == 'resnets': new = f'{at}.0.{RESNET[rest]}'
            elif s[2] == 'attentions': new = f'{at}.1.{rest}'
            elif down: new = f'input_blocks.{(layers + 1) * (level + 1)}.0.op'
            else: new = f'output_blocks.{(layers + 1) * level + layers}.{1 + (level in crossed)}.conv'
        out[f'model.diffusion_model.{new}.{kind}'] = tensor
    assert set(sf.convert_ldm_unet_checkpoint(dict(out), settings)) == set(state)
    return out


def vae(settings):
    with torch.device('meta'): state = AutoencoderKL(**settings).state_dict()
    top, out = len(settings['block_out_channels']) - 1, {}
    for name, tensor in state.items():
        s = name.split('.')
        if s[1] == 'mid_block':
            inner = '.'.join(s[4:]).replace('group_norm', 'norm').replace('to_out.0', 'proj_out').replace('to_', '')
            new = f'{s[0]}.mid.attn_1.{inner}' if s[2] == 'attentions' else f'{s[0]}.mid.block_{int(s[3]) + 1}.{".".join(s[4:])}'
            if s[2] == 'attentions' and tensor.ndim == 2: tensor = tensor[:, :, None, None]
        elif s[1] in ('down_blocks', 'up_blocks'):
            level = int(s[2]) if s[1] == 'down_blocks' else top - int(s[2])
            kind = f'block.{s[4]}' if s[3] == 'resnets' else s[3].replace('samplers', 'sample')
            new = f'{s[0]}.{s[1][:-7]}.{level}.{kind}.{".".join(s[5:])}'
        else: new = name
        out['first_stage_model.' + new.replace('conv_shortcut', 'nin_shortcut').replace('conv_norm_out', 'norm_out')] = tensor
    assert set(sf.convert_ldm_vae_checkpoint(dict(out), settings)) == set(state)
    return out


def clip(prefix, settings):
    out = {f'{prefix}transformer.{k if k.startswith("text_model.") else "text_model." + k}': v for k, v in shapes(CLIPTextModel, CLIPTextConfig(**settings)).items()}
    return {**out, f'{prefix}transformer.text_model.embeddings.position_ids': torch.empty(1, 77, device='meta')}


def open_clip(prefix, settings, layers):
    state = shapes(CLIPTextModelWithProjection, CLIPTextConfig(**{**settings, 'num_hidden_layers': layers}))
    out = {'logit_scale': torch.empty((), device='meta')}
    for name, tensor in state.items():
        name = name.removeprefix('text_model.')
        if 'k_proj' in name or 'v_proj' in name: continue
        if 'text_projection' in name: tensor = tensor.T
        if 'q_proj' in name: tensor = torch.cat([tensor] * 3)
        for old, new in (('self_attn.q_proj.', 'attn.in_proj_'), ('encoder.layers', 'transformer.resblocks'), ('final_layer_norm', 'ln_final'), ('layer_norm', 'ln_'), ('fc1', 'c_fc'), ('fc2', 'c_proj'), ('self_attn', 'attn'), ('embeddings.token', 'token'), ('embeddings.position_embedding.weight', 'positional_embedding'), ('text_projection.weight', 'text_projection')):
            name = name.replace(old, new)
        out[name] = tensor
    return {prefix + k: v for k, v in out.items()}


def write(name, *parts):
    tree = {}
    for key, tensor in {k: v for part in parts for k, v in part.items()}.items():
        *path, last = key.split('.')
        node = tree
        for step in path: node = node.setdefault(step, {})
        node[last] = list(tensor.shape)
    json.dump(tree, open(f'{OUT}/{name}.json', 'w'), separators=(',', ':'))


refiner = {**config('sdxl/unet'), 'block_out_channels': [384, 768, 1536, 1536], 'attention_head_dim': [6, 12, 24, 24], 'cross_attention_dim': 1280, 'transformer_layers_per_block': 4, 'projection_class_embeddings_input_dim': 2560,
           'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'], 'up_block_types': ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D']}
big = config('sdxl/text_encoder_2')
write('sd15', unet(config('sd15/unet')), vae(config('sd15/vae')), clip('cond_stage_model.', config('sd15/text_encoder')))
write('sd21', unet(config('sd21/unet')), vae(config('sd21/vae')), open_clip('cond_stage_model.model.', {**config('sd21/text_encoder'), 'projection_dim': 1024}, 24))
write('sdxl', unet(config('sdxl/unet')), vae(config('sdxl/vae')), clip('conditioner.embedders.0.', config('sdxl/text_encoder')), open_clip('conditioner.embedders.1.model.', big, 32))
write('sdxl-refiner', unet(refiner), vae(config('sdxl/vae')), open_clip('conditioner.embedders.0.model.', big, 32))

parts = {'sd15': ('unet', 'vae', 'text_encoder'), 'sd21': ('unet', 'vae', 'text_encoder'), 'sdxl': ('unet', 'vae', 'text_encoder', 'text_encoder_2')}
json.dump({**{model: {part: config(f'{model}/{part}') for part in names} for model, names in parts.items()},
           'sdxl-refiner': {'unet': refiner, 'vae': config('sdxl/vae'), 'text_encoder_2': big}}, open(f'{OUT}/configs.json', 'w'), indent=1)
