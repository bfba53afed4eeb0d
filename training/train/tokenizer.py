"""A vocabulary for the captions: CLIP's byte-level BPE with `</w>` at the end of words, small.

usage: python -m train.tokenizer OUT CAPTIONS.txt...
writes vocab.json and merges.txt as CLIPTokenizer reads them. The published model keeps the vocabulary that it began with.
"""
import json
import sys

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # CLIP's
BEGIN, END = '<|startoftext|>', '<|endoftext|>'
LENGTH = 32  # tokens of a prompt


def learn_merges(files, size):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE(end_of_word_suffix='</w>'))
    lower = [normalizers.NFC(), normalizers.Replace(Regex(r'\s+'), ' '), normalizers.Lowercase()]
    bpe.normalizer = normalizers.Sequence(lower)
    words = pre_tokenizers.Split(Regex(WORDS), behavior='removed', invert=True)
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([words, to_bytes])
    options = dict(vocab_size=size, initial_alphabet=alphabet, end_of_word_suffix='</w>', show_progress=False)
    bpe.train(files, trainers.BpeTrainer(**options))
    merges = json.loads(bpe.to_str())['model']['merges']
    return alphabet, [tuple(m) if isinstance(m, list) else tuple(m.split(' ')) for m in merges]


def main():
    out, files = sys.argv[1], sys.argv[2:]
    alphabet, merges = learn_merges(files, 1100)
    vocabulary = dict.fromkeys([*alphabet, *(b + '</w>' for b in alphabet), *(a + b for a, b in merges), BEGIN, END])
    ids = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = CLIPTokenizer(
        vocab=ids, merges=merges, bos_token=BEGIN, eos_token=END, unk_token=END, pad_token=END, model_max_length=LENGTH,
    )
    tokenizer.save_pretrained(out)
    with open(out + '/vocab.json', 'w') as file:
        json.dump(ids, file, ensure_ascii=False)
    with open(out + '/merges.txt', 'w') as file:
        file.write('#version: 0.2\n' + '\n'.join(' '.join(m) for m in merges) + '\n')
    print(len(ids), 'tokens')


if __name__ == '__main__':
    main()
