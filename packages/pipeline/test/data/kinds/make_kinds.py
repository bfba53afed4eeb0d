"""Names and shapes of the tensors of diffusers' models, for the table that recognises files: kinds.json.

Each model is made without weights, in its default size; of numbered blocks, the first is kept. As trees, {"a": {"b": shape}}.

pip install torch diffusers==0.42.1 transformers==5.23.0
python make_kinds.py
"""
import json
import re
from pathlib import Path

import diffusers
import torch
import transformers

SETTINGS = {
    'ControlNetModel': {}, 'ControlNetUnionModel': {'addition_time_embed_dim': 256}, 'SparseControlNetModel': {}, 'SD3ControlNetModel': {},
    'FluxControlNetModel': {}, 'HunyuanDiT2DControlNetModel': {'sample_size': 128, 'activation_fn': 'gelu-approximate', 'cross_attention_dim': 1024, 'patch_size': 2, 'in_channels': 4}, 'SanaControlNetModel': {}, 'QwenImageControlNetModel': {},
    'ControlNetXSAdapter': {}, 'UNetControlNetXSModel': {},
    'T2IAdapter': {}, 'T2IAdapter light_adapter': {'adapter_type': 'light_adapter'},
    'T2IAdapter full_adapter_xl': {'adapter_type': 'full_adapter_xl', 'downscale_factor': 16},
    'MotionAdapter': {}, 'UNetMotionModel': {}, 'UNet3DConditionModel': {}, 'UNetSpatioTemporalConditionModel': {}, 'I2VGenXLUNet': {},
    'UNet2DConditionModel gated': {'attention_type': 'gated', 'cross_attention_dim': 768},
    'UNet2DConditionModel Kolors': {'cross_attention_dim': 2048, 'encoder_hid_dim': 4096, 'encoder_hid_dim_type': 'text_proj',
                                    'addition_embed_type': 'text_time', 'addition_time_embed_dim': 256, 'projection_class_embeddings_input_dim': 5632},
    'UNet2DConditionModel IF': {'cross_attention_dim': 768, 'encoder_hid_dim': 4096, 'encoder_hid_dim_type': 'text_proj',
                                'addition_embed_type': 'text', 'addition_embed_type_num_heads': 64},
    'UNet2DConditionModel Kandinsky': {'cross_attention_dim': 768, 'encoder_hid_dim': 1280, 'encoder_hid_dim_type': 'image_proj',
                                       'addition_embed_type': 'image'},
    'FluxTransformer2DModel': {}, 'Flux2Transformer2DModel': {}, 'SD3Transformer2DModel': {}, 'ChromaTransformer2DModel': {},
    'PixArtTransformer2DModel': {'caption_channels': 4096}, 'SanaTransformer2DModel': {}, 'AuraFlowTransformer2DModel': {}, 'HunyuanDiT2DModel': {'sample_size': 128, 'activation_fn': 'gelu-approximate', 'cross_attention_dim': 1024, 'patch_size': 2, 'in_channels': 4},
    'Lumina2Transformer2DModel': {}, 'LuminaNextDiT2DModel': {'num_kv_heads': 8, 'ffn_dim_multiplier': 1.0}, 'ZImageTransformer2DModel': {}, 'QwenImageTransformer2DModel': {},
    'WanTransformer3DModel': {}, 'LTXVideoTransformer3DModel': {}, 'MochiTransformer3DModel': {}, 'HunyuanVideoTransformer3DModel': {},
    'CogVideoXTransformer3DModel': {}, 'CogView3PlusTransformer2DModel': {}, 'CogView4Transformer2DModel': {}, 'HiDreamImageTransformer2DModel': {'patch_size': 2, 'num_layers': 1, 'num_single_layers': 1, 'caption_channels': [4096, 4096], 'text_emb_dim': 2048, 'axes_dims_rope': (64, 32, 32)},
    'AllegroTransformer3DModel': {}, 'OmniGenTransformer2DModel': {'rope_scaling': {'long_factor': [1.0], 'short_factor': [1.0], 'type': 'su'}}, 'StableAudioDiTModel': {}, 'CosmosTransformer3DModel': {},
    'DiTTransformer2DModel': {'num_embeds_ada_norm': 1000}, 'Kandinsky3UNet': {}, 'UVit2DModel': {}, 'PriorTransformer': {}, 'LatteTransformer3DModel': {'cross_attention_dim': 1152, 'in_channels': 4, 'sample_size': 64, 'patch_size': 2, 'num_attention_heads': 16, 'attention_head_dim': 72, 'norm_type': 'ada_norm_single', 'caption_channels': 4096},
    'StableCascadeUNet': {}, 'StableCascadeUNet B': {'effnet_in_channels': 16},
    'AutoencoderKL': {}, 'AutoencoderTiny': {}, 'AsymmetricAutoencoderKL': {'down_block_out_channels': [64], 'up_block_out_channels': [64]}, 'VQModel': {}, 'AutoencoderDC': {}, 'AutoencoderKLWan': {},
    'AutoencoderKLQwenImage': {}, 'AutoencoderKLCogVideoX': {}, 'AutoencoderKLTemporalDecoder': {}, 'AutoencoderKLHunyuanVideo': {}, 'AutoencoderKLLTXVideo': {},
    'AutoencoderKLMochi': {}, 'AutoencoderKLAllegro': {}, 'AutoencoderOobleck': {}, 'ConsistencyDecoderVAE': {},
    'CLIPTextModel': {}, 'CLIPTextModelWithProjection': {}, 'CLIPVisionModelWithProjection': {}, 'T5EncoderModel': {}, 'Gemma2Model': {}, 'LlamaModel': {}, 'Qwen2Model': {},
    'CLIPModel': {}, 'SiglipVisionModel': {}, 'BertModel': {},
}


def model(name, settings):
    library = diffusers if hasattr(diffusers, name) else transformers
    kind = getattr(library, name)
    if library is diffusers: return kind(**settings)
    return kind(kind.config_class(**settings))


def tree(tensors):
    out = {}
    for name, tensor in tensors.items():
        *path, last = name.split('.')
        node = out
        for part in path: node = node.setdefault(part, {})
        node[last] = list(tensor.shape)
    return out


result = {}
for key, settings in SETTINGS.items():
    try:
        with torch.device('meta'): state = model(key.split(' ')[0], settings).state_dict()
    except Exception as error:  # a class that this version lacks, or whose defaults are not a model
        print('LEFT OUT', key, repr(error)[:150])
        continue
    last = 3 if key == 'AutoencoderTiny' else 0
    first = {n: t for n, t in state.items() if not any(part.isdigit() and int(part) > last for part in n.split('.'))}
    result[key] = tree(first)
    print(key, len(state), len(first))
text = json.dumps(result, separators=(',', ':'))
(Path(__file__).parent / 'kinds.json').write_text(re.sub(r'(?<=\}),(?="[A-Z])', ',\n', text) + '\n')
