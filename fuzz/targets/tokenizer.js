// A tokenizer's files with values that no tokenizer has. Those that load read a few texts.
import { readFileSync } from 'node:fs';
import { loadTokenizer } from '@sd/tokenizer';
import { mutate, utf8 } from '../bytes.js';
import { tinyModel } from '../fixtures.js';
import { hostileJson, jsonText, mutateJson } from '../json.js';
import { memorySource } from '../sources.js';

const texts = ['a blue car', '', 'Σ ß İ 🦊 \ud800 <|endoftext|> !', "don't 12345 ,.;: \n\t", '<|startoftext|>'];
const types = [
  ...[
    'NFC',
    'NFKC',
    'NFD',
    'Lowercase',
    'Replace',
    'Sequence',
    'BertNormalizer',
    'Strip',
    'StripAccents',
    'Precompiled',
  ],
  ...['Prepend', 'ByteLevel', 'Metaspace', 'Split', 'Punctuation', 'Digits', 'Whitespace', 'WhitespaceSplit'],
  ...[
    'TemplateProcessing',
    'RobertaProcessing',
    'BertProcessing',
    'BPEDecoder',
    'WordPiece',
    'Fuse',
    'ByteFallback',
    '__proto__',
  ],
];
const patterns = [
  ...[
    '\\s+',
    '(',
    '[',
    '(?<x>a)',
    '\\p{Foo}',
    '',
    'a*',
    '(?i)a',
    '(?=',
    '\\',
    '^',
    '$',
    '\\b',
    '[^]',
    '.',
    '(a+)+$',
  ].map((pattern) => ({ Regex: pattern })),
  ...['', ' ', 'a', '$&', '__proto__'].map((text) => ({ String: text })),
  ...[null, 'x', {}, 5],
];
const ids = [0, -1, 0.5, 2 ** 24 - 1, 2 ** 24, 2 ** 31, '5', null, 1e9, 49407];
const addedTokens = [
  ...[[], null, [{ id: 0, content: '' }], [{ id: 2 ** 24 - 1, content: 'zzz' }], [{ id: 5, content: '__proto__' }]],
  [{ id: 5, content: '(a+)+$' }],
  [{ id: 1, content: '[', single_word: true, lstrip: true, rstrip: true, normalized: true, special: true }],
  Array.from({ length: 300 }, (_, id) => ({ id, content: `t${id}` })),
];
const mergeTexts = ['', '#version', 'a b c', '__proto__ constructor', '\n'.repeat(10000), 'a b\n'.repeat(2000)];
const lengths = [3, 2, 77, 65536, 65537, 1e30, -1, 0.5, '77', null];

/** A part of a tokenizer.json: a normalizer, a pre-tokenizer, a decoder. */
function partOf(random) {
  const part = { type: random.pick(types) };
  if (random.chance(0.6)) part.pattern = random.chance(0.9) ? random.pick(patterns) : hostileJson(random);
  if (random.chance(0.5)) part.content = random.pick(['', ' ', '$&$&', null, 5]);
  if (random.chance(0.5))
    part.behavior = random.pick(['Removed', 'Isolated', 'MergedWithPrevious', 'Contiguous', 'x', null]);
  for (const list of ['normalizers', 'pretokenizers', 'decoders', 'processors']) {
    if (random.chance(0.15))
      part[list] = random.times(random.int(3), () => (random.chance(0.8) ? partOf(random) : hostileJson(random)));
  }
  for (const name of ['single', 'suffix', 'sep', 'cls']) if (random.chance(0.1)) part[name] = hostileJson(random);
  return part;
}

/** A tokenizer.json of few words, so that a change meets one that matters. */
function small(json) {
  const vocab = Object.fromEntries(
    Object.entries(json.model.vocab).filter(([token, id]) => id < 520 || /<\|/.test(token)),
  );
  const pairOf = (merge) => (Array.isArray(merge) ? merge : merge.split(' '));
  const merges = json.model.merges.filter((merge) => Object.hasOwn(vocab, pairOf(merge).join(''))).slice(0, 60);
  return { ...json, model: { ...json.model, vocab, merges } };
}

function changedJson(random, known) {
  let json = structuredClone(known);
  const part = random.pick(['normalizer', 'pre_tokenizer', 'post_processor', 'decoder']);
  if (random.chance(0.4)) json[part] = random.chance(0.8) ? partOf(random) : hostileJson(random);
  if (random.chance(0.3))
    json.model.vocab[random.pick(['zz', '', 'constructor', '<|endoftext|>', '!', 'a'])] = random.pick(ids);
  if (random.chance(0.2)) json.added_tokens = random.chance(0.8) ? random.pick(addedTokens) : hostileJson(random);
  if (random.chance(0.6)) json = mutateJson(random, json);
  const bytes = utf8(jsonText(json));
  return random.chance(0.05) ? mutate(random, bytes, 2) : bytes;
}

export default function tokenizer() {
  const read = (name) => JSON.parse(readFileSync(tinyModel(`tokenizer/${name}`), 'utf8'));
  const json = small(read('tokenizer.json'));
  const { vocab, merges } = json.model;
  const mergeText = merges.map((merge) => (Array.isArray(merge) ? merge.join(' ') : merge)).join('\n');
  const [config, special] = [read('tokenizer_config.json'), read('special_tokens_map.json')];
  const maybe = (random, value) => utf8(jsonText(random.chance(0.5) ? mutateJson(random, value) : value));
  return {
    generate(random) {
      const files = {};
      if (random.chance(0.5)) files['tokenizer/tokenizer.json'] = changedJson(random, json);
      else {
        files['tokenizer/vocab.json'] = maybe(random, vocab);
        files['tokenizer/merges.txt'] = random.chance(0.5)
          ? mutate(random, utf8(mergeText), 3)
          : utf8(random.chance(0.9) ? mergeText : random.pick(mergeTexts));
      }
      const length = random.chance(0.2) ? { model_max_length: random.pick(lengths) } : {};
      if (random.chance(0.8)) files['tokenizer/tokenizer_config.json'] = maybe(random, { ...config, ...length });
      if (random.chance(0.8)) files['tokenizer/special_tokens_map.json'] = maybe(random, special);
      return { files };
    },
    async run({ files }) {
      const made = await loadTokenizer(memorySource(files));
      for (const text of texts) {
        const { ids: encoded, length } = made.encode(text);
        if (encoded.length !== made.maxLength || length > made.maxLength) throw new Error('a window does not fit');
        made.decode(encoded);
      }
    },
  };
}
