"""Weighted and long prompts in the embedded model: compel itself, and what A1111 and ComfyUI do with each window.

usage: prompt-golden.py      needs torch, transformers, compel; writes prompt-golden.json beside this file
"""
import base64
import json
from pathlib import Path

import torch
from compel import Compel, DownweightMode, ReturnedEmbeddingsType, SplitLongTextMode as Split
from transformers import CLIPTextModel, CLIPTokenizer

folder = Path(__file__).parent / '../../../model-tiny/model'
tokenizer = CLIPTokenizer.from_pretrained(folder / 'tokenizer')
encoder = CLIPTextModel.from_pretrained(folder / 'text_encoder', dtype=torch.float32)
length = tokenizer.model_max_length
every = 29
cases = {}


def keep(name, values):
    values = values.detach().reshape(-1, values.shape[-1]).contiguous()
    sample = values.flatten()[::every].contiguous().numpy()
    cases[name] = {'dims': list(values.shape), 'values': base64.b64encode(sample.tobytes()).decode()}


@torch.no_grad()
def window(fragments):
    """One window of fragments [text, weight]: its embedding, and the weights of its tokens."""
    ids, weights = [tokenizer.bos_token_id], [1.0]
    for text, weight in fragments:
        tokens = tokenizer(text, add_special_tokens=False)['input_ids']
        ids += tokens
        weights += [weight] * len(tokens)
    spare = length - len(ids)
    assert spare > 0
    ids += [tokenizer.eos_token_id] * spare
    weights += [1.0] * spare
    return encoder(torch.tensor([ids])).last_hidden_state[0], torch.tensor(weights)[:, None]


empty = window([])[0]


def a1111(*windows):
    parts = []
    for z, weights in map(window, windows):
        weighted = z * weights
        # The mean is near 0 here: float32 would leave few digits of it.
        parts.append(weighted * (z.double().mean() / weighted.double().mean()).float())
    return torch.cat(parts)


def comfyui(*windows):
    return torch.cat([(z - empty) * weights + empty for z, weights in map(window, windows)])


sentence = 'a blue car on a road, '
keep('a1111 weights', a1111([['a ', 1], ['blue', 1.1], [' car on a ', 1], ['road', 0.5]]))
keep('a1111 break', a1111([['a blue car', 1]], [['on a ', 1], ['road', 1.6]]))
keep('a1111 commas', a1111([[sentence * 3, 1], ['a blue car,', 1.2]], [['on a road and a red bus', 1.2]]))
keep('comfyui weights', comfyui([['a ', 1], ['blue', 1.21], [' car on a ', 1], ['road', 0.5]]))
keep('comfyui negative', comfyui([['a ', 1], ['blue', -0.5], [' car', 1]]))


def compel(name, prompt, **options):
    keep(f'compel {name}', Compel(tokenizer=tokenizer, text_encoder=encoder, **options)(prompt))


compel('up', 'a blue++ car on a (quiet road)1.4')
compel('down', 'a blue- car on a (quiet road)0.3 at night(sky)0')
compel('down to nothing', 'a (blue)0 car')
compel('both', 'a (blue)1.3 car-- on a road-')
compel('remove', 'a blue- car++ on a (quiet road)0.3', downweight_mode=DownweightMode.REMOVE)
compel('and', '("a blue car", "a road+ at night").and(1, 0.5)')
compel('blend', '("a blue car", "a red bus--").blend(1, 0.7)')
compel('blend, not normalized', '("a blue car", "a red bus").blend(1, -0.3, no_normalize)')
long = 'a blue car on a road. ' * 3 + 'a red+ bus, ' * 5 + 'a (green field at night)0.6. ' + 'a white house ' * 12
compel('nested', 'a (blue car+ on a (quiet road)0.8)1.2 "at night"--')
compel('swap', 'a (blue car).swap(red bus, s_end=0.5) on a road+')
compel('blend, one below 0', '("a blue car", "a red bus").blend(1, -0.3)')
# compel looks for the last norm where transformers had it before version 5.
object.__setattr__(encoder, 'text_model', encoder)
compel('clip skip', 'a blue++ car- on a road', returned_embeddings_type=ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NORMALIZED)
compel('not normalized', 'a blue++ car- on a road', returned_embeddings_type=ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED)


def compel_long(name, prompt, split=Split.SENTENCES, **options):
    compel(name, prompt, truncate_long_prompts=False, split_long_text_mode=split, **options)


compel('truncated', long)
compel_long('long', long)
compel_long('long, removed', long, downweight_mode=DownweightMode.REMOVE)
compel_long('long and', f'("{long}", "a red bus").and(0.5, 1)')
compel_long('long blend', f'("{long}", "a red bus").blend(1, 0.7)')
for split in Split.PHRASES, Split.WORDS, Split.BRUTAL:
    compel_long(f'long, {split.name.lower()}', long, split)
for name, ends in ('first', Split.COPY_FIRST_CLS_TOKEN), ('mean', Split.MERGE_CLS_TOKENS):
    compel_long(f'long, {name} end', long, Split.SENTENCES | ends)
    compel_long(f'long and, {name} end', f'("{long}", "a red bus").and(0.5, 1)', Split.SENTENCES | ends)
    compel_long(f'long blend, {name} end', f'("{long}", "a red bus").blend(1, 0.7)', Split.SENTENCES | ends)
Path(__file__).with_suffix('.json').write_text(json.dumps({'every': every, 'cases': cases}, indent=1) + '\n')
