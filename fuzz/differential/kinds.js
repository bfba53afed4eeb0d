import { createHash } from 'node:crypto';
import { readImage } from '@sd/image';
import { createTokenizer } from '@sd/tokenizer';
import { openPickle, openSafetensors } from '@sd/weights';
import { memorySource } from '../sources.js';

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const bytesOf = (input) => new Uint8Array(Buffer.from(input.bytes, 'base64'));
const sorted = (record) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** A difference that is meant: this library refuses with such a message what the reference reads. */
const stricter = (name, message) => ({
  name,
  side: 'only the reference',
  allows: ({ ours, theirs }) => theirs.error === undefined && message.test(ours.error ?? ''),
});
/** A difference that is meant: the reference refuses with such a message what this library reads. */
const looser = (name, message) => ({
  name,
  side: 'only this library',
  allows: ({ ours, theirs }) => ours.error === undefined && message.test(theirs.error ?? ''),
});

const torchTypes = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

/** Whether a safetensors header has a name twice. */
function hasDoubles(bytes) {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  return Object.keys(JSON.parse(text)).some((name) => text.split(`${JSON.stringify(name)}:`).length > 2);
}

const addedTokens = (input) =>
  [JSON.parse(new TextDecoder().decode(bytesOf(input))).added_tokens ?? []].flat().map((token) => token?.content);

const texts = ['a red car', 'Ünïcödé 日本 🎉', '  two  spaces!', 'it’s 42, <|endoftext|> x'];

/**
 * The formats that Python has a reader for: the target that generates the files, what is sent, what this library reads of it,
 * and the differences that are meant.
 */
export const kinds = {
  safetensors: {
    target: 'safetensors',
    request: ({ bytes }) => ({ bytes: base64(bytes) }),
    async read(input) {
      const { tensors } = await openSafetensors(memorySource({ x: bytesOf(input) }), 'x');
      const whole = bytesOf(input);
      const rows = [...tensors].map(([name, { dtype, shape, offset, length }]) => [
        name,
        [dtype, [...shape], digest(whole.subarray(offset, offset + length))],
      ]);
      return sorted(Object.fromEntries(rows));
    },
    comparable: sorted,
    rules: [
      looser('bytes that no tensor covers are left out', /not fully covered|invalid offset/),
      looser('metadata that is not text is left out', /invalid type: .*expected (a string|a map)/),
      looser('halves of surrogate pairs', /hex escape|surrogate/),
      {
        name: 'of several tensors of one name, all but the last are left out',
        side: 'only this library',
        allows: ({ ours, theirs, input }) =>
          ours.error === undefined && theirs.error !== undefined && hasDoubles(bytesOf(input)),
      },
      stricter('number types that no model has', /the unknown type/),
      stricter('shapes beyond 2^53', /invalid shape/),
    ],
  },
  pickle: {
    target: 'pickle',
    request: ({ bytes }) => ({ bytes: base64(bytes) }),
    async read(input) {
      const { tensors } = await openPickle(memorySource({ x: bytesOf(input) }), 'x');
      return sorted(
        Object.fromEntries(
          [...tensors].map(([name, { dtype, shape }]) => [name, [torchTypes[dtype] ?? dtype, [...shape]]]),
        ),
      );
    },
    comparable: sorted,
    rules: [
      looser('zips without the version and the folder that torch writes', /hasRecord|not in a subdirectory/),
      looser('storages by an identifier that is shorter than torch’s', /not enough values to unpack/),
      looser('pickles of newer protocols', /Unsupported operand/),
      stricter(
        'what torch never writes: other byte orders, compressions and zip directories',
        /big-endian|compression|directory of the zip/,
      ),
    ],
  },
  png: {
    target: 'png',
    request: ({ bytes, use }) => (use === 'pixels' ? { bytes: base64(bytes) } : undefined),
    async read(input) {
      const { width, height, data } = await readImage(bytesOf(input));
      return { size: [width, height], pixels: digest(data) };
    },
    comparable: ({ size, pixels }) => ({ size, pixels }),
    rules: [
      stricter(
        'chunks that are damaged, cut off or there twice',
        /past the end|without IEND|no header|checksum|two chunks/,
      ),
      stricter('interlaced files of less than 8 bits a sample', /interlaced/),
      stricter('what the standard forbids', /tRNS|PLTE|palette is missing|decompress|method|of a palette of/),
      looser(
        'broken chunks besides the pixels are ignored',
        /not a TIFF file|cannot identify|tRNS|pHYs|acTL|invalid palette size|requires a buffer/,
      ),
      {
        side: 'both, other pixels',
        name: 'black and white with a transparent gray that one bit does not have',
        allows: ({ ours, theirs }) => ours.error === undefined && theirs.value?.mode === '1',
      },
      {
        side: 'both, other pixels',
        name: 'gray of 16 bits, which Pillow turns white',
        allows: ({ ours, theirs }) => ours.error === undefined && /^I/.test(theirs.value?.mode ?? ''),
      },
    ],
  },
  tokenizer: {
    target: 'tokenizer',
    request({ files }) {
      const bytes = files['tokenizer/tokenizer.json'];
      return bytes === undefined ? undefined : { bytes: base64(bytes), texts };
    },
    async read(input) {
      const tokenizerJson = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(input)));
      const { tokenize } = createTokenizer({ tokenizerJson });
      return { ids: texts.map((text) => tokenize(text)) };
    },
    rules: [
      looser(
        'fields that CLIP does not need may be missing',
        /recursion limit|missing field|invalid type|did not match|out of vocabulary/,
      ),
      stricter('steps that no tokenizer of CLIP has', /^unsupported|not an object with a type/),
      looser('halves of surrogate pairs', /surrogate|hex escape/),
      stricter('ids of 2^24 and more', /not an integer from 0/),
      {
        side: 'both, other ids',
        name: 'special tokens that only the config has are found in texts, as in transformers',
        allows: ({ ours, theirs, input }) =>
          ours.error === undefined && theirs.error === undefined && !addedTokens(input).includes('<|endoftext|>'),
      },
    ],
  },
};
