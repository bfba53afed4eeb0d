import { describe, expect, test } from 'vitest';
import { hubUrl, parseHubName } from '../../src/index.js';

describe('names of repositories', () => {
  test.each([
    ['owner/name', { repo: 'owner/name', path: '' }],
    ['owner/name/unet', { repo: 'owner/name', path: 'unet' }],
    ['owner/name/file.safetensors', { repo: 'owner/name', path: 'file.safetensors' }],
    ['hf://owner/name', { repo: 'owner/name', path: '' }],
    ['hf://owner/name@fp16', { repo: 'owner/name', revision: 'fp16', path: '' }],
    ['hf://owner/name@refs%2Fpr%2F1/a/b.bin', { repo: 'owner/name', revision: 'refs/pr/1', path: 'a/b.bin' }],
    ['https://huggingface.co/owner/name', { repo: 'owner/name', path: '' }],
    ['https://hf.co/owner/name', { repo: 'owner/name', path: '' }],
    ['https://huggingface.co/owner/name/', { repo: 'owner/name', path: '' }],
    ['https://huggingface.co/owner/name/tree/fp16', { repo: 'owner/name', revision: 'fp16', path: '' }],
    [
      'https://huggingface.co/owner/name/blob/main/my%20lora.safetensors?download=true',
      { repo: 'owner/name', revision: 'main', path: 'my lora.safetensors' },
    ],
    ['https://huggingface.co/o/n/resolve/main/a.ckpt', { repo: 'o/n', revision: 'main', path: 'a.ckpt' }],
  ])('%s', (text, name) => {
    expect(parseHubName(text)).toEqual(name);
  });

  test.each([
    'model.safetensors',
    './owner/name',
    '../owner/name',
    '/owner/name',
    '~/owner/name',
    'owner/name/',
    'owner/../name',
    'owner/name/../../x',
    'C:\\models\\sd',
    'models\\sd',
    'https://example.com/owner/name',
    'file:///owner/name',
    'hf://name',
    '',
  ])('%s is none', (text) => {
    expect(parseHubName(text)).toBeUndefined();
  });

  test('the address of a file keeps a slash in the revision apart from those of the path', () => {
    expect(hubUrl({ repo: 'o/n', revision: 'refs/pr/1', path: 'a b/c.json' })).toBe(
      'https://huggingface.co/o/n/resolve/refs%2Fpr%2F1/a%20b/c.json',
    );
  });
});
