"""Ids that transformers gives to texts with added tokens, for the files of a tokenizer's folder that name them.

pip install transformers==5.23.0
python make_added_tokens.py   # writes added-tokens.json
"""
import json
import shutil
import tempfile
from pathlib import Path

from transformers import CLIPTokenizer

here = Path(__file__).parent
model = here.parents[2] / 'model-tiny' / 'model' / 'tokenizer'
count = len(json.loads((model / 'tokenizer.json').read_text())['model']['vocab'])
token = {'lstrip': False, 'rstrip': False, 'single_word': False, 'special': False}
exact = {'content': '<CatToy>', 'normalized': False, **token}
any_case = {'content': '<CatToy>', 'normalized': True, **token}
cases = {
    'added_tokens.json': {'added_tokens.json': {'<cattoy>': count, 'zzqx9': count + 1, '<CAT-toy>': count + 2}},
    'added_tokens_decoder, as it is': {'tokenizer_config.json': {'added_tokens_decoder': {str(count): exact}}},
    'added_tokens_decoder, normalized': {'tokenizer_config.json': {'added_tokens_decoder': {str(count): any_case}}},
    'tokenizer.json, as it is': {'tokenizer.json': {'added_tokens': [{'id': count, **exact}]}},
    'tokenizer.json, normalized': {'tokenizer.json': {'added_tokens': [{'id': count, **any_case}]}},
    'special_tokens_map.json': {'special_tokens_map.json': {'additional_special_tokens': ['<cattoy>', '<CAT-toy>']}},
}
texts = ['a <cattoy> car', 'a <CatToy> car', 'A<cattoy>,car', 'zzqx9 car', 'zzqx9car', 'a <cat-toy> car', 'a <CAT-toy> car']


def merged(path, values):
    """The file with these values; lists are appended to."""
    old = json.loads(path.read_text()) if path.exists() else {}
    return {**old, **{key: old.get(key, []) + value if isinstance(value, list) else value for key, value in values.items()}}


def ids(files):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(model, folder, dirs_exist_ok=True)
        for name, values in files.items():
            path = Path(folder) / name
            path.write_text(json.dumps(merged(path, values)))
        tokenizer = CLIPTokenizer.from_pretrained(folder)
        return [tokenizer(text, add_special_tokens=False).input_ids for text in texts]


result = {'texts': texts, 'cases': [{'name': name, 'files': files, 'ids': ids(files)} for name, files in cases.items()]}
(here / 'added-tokens.json').write_text(json.dumps(result, separators=(',', ':')) + '\n')
