import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type ErrorCode, InvalidOptionError, SdError } from '../src/index.js';

const packageFile = (name: string) => readFile(new URL(`../${name}`, import.meta.url), 'utf8');

test('the help of every error leads to an entry of the page that the package ships', async () => {
  const page = await packageFile('errors.md');
  const { files, homepage } = JSON.parse(await packageFile('package.json'));
  const codes = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading as ErrorCode);

  expect(files).toContain('errors.md');
  expect(codes).toContain('invalid-option');
  for (const code of codes) {
    // Once the packages have a homepage, the help is a page of it.
    expect(new SdError(code, '').help).toBe(`${homepage ?? '@sd/core/errors.md'}#${code}`);
  }
});

test('help is printed with an error, and is not part of its message', () => {
  const error = new InvalidOptionError('steps', 'must be positive.');
  expect(error.message).toBe('steps: must be positive.');
  expect({ ...error }).toMatchObject({ code: 'invalid-option', help: '@sd/core/errors.md#invalid-option' });
});

test('an error is recognized without its class', () => {
  expect(SdError.isInstance(new SdError('backend', 'It failed.'))).toBe(true);
  expect(SdError.isInstance(new Error('It failed.'))).toBe(false);
  expect(SdError.isInstance(null)).toBe(false);
});
