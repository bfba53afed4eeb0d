import { describe, expect, test } from 'vitest';
import {
  AbortError,
  barrier,
  callersCode,
  InternalError,
  InvalidOptionError,
  isStageError,
  readerBarrier,
  type Source,
} from '../src/index.js';

const failing = (error: unknown) => () => {
  throw error;
};
const caught = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('a barrier', () => {
  test('turns an untyped error into an InternalError that has it and names the entry', () => {
    const cause = new TypeError('x is not a function');
    const error = caught(() => barrier('read()', failing(cause)));
    expect(error).toBeInstanceOf(InternalError);
    expect(error).toMatchObject({ code: 'internal', name: 'InternalError', cause });
    expect(error).toHaveProperty('message', expect.stringMatching(/^read\(\) failed .*x is not a function.*report/));
  });

  test('does so with a rejection, and passes results on', async () => {
    const cause = new RangeError('Invalid array length');
    await expect(barrier('read()', () => Promise.reject(cause))).rejects.toMatchObject({ code: 'internal', cause });
    expect(await barrier('read()', async () => 1)).toBe(1);
    expect(barrier('read()', () => 2)).toBe(2);
  });

  test.each([
    ['an SdError', new InvalidOptionError('steps', 'is 0.')],
    ['an AbortError', new AbortError()],
    ['the platform’s AbortError', new DOMException('stop', 'AbortError')],
    ['a value that only the caller throws', 'stop'],
  ])('passes %s', (_, error) => {
    expect(caught(() => barrier('read()', failing(error)))).toBe(error);
  });

  test('passes what the caller’s own code throws, through any number of barriers', async () => {
    const [error, rejected] = [new TypeError('mine'), new TypeError('mine too')];
    const inner = () => barrier('inner()', () => callersCode(failing(error)));
    expect(caught(() => barrier('outer()', inner))).toBe(error);
    const rejects = barrier('read()', () => callersCode(() => Promise.reject(rejected)));
    await expect(rejects).rejects.toBe(rejected);
  });

  test('passes errors of a stage, but not of the language', () => {
    const own = new Error('the stage is busy');
    expect(caught(() => barrier('run()', failing(own), isStageError))).toBe(own);
    expect(caught(() => barrier('run()', failing(new TypeError('x')), isStageError))).toBeInstanceOf(InternalError);
  });

  test('passes errors of the source that it reads, once wrapped', async () => {
    const error = new TypeError('the server has gone');
    const source: Source = { read: () => Promise.reject(error) };
    const inner = (files: Source) => readerBarrier('inner()', files, (same) => same.read('x'));
    await expect(readerBarrier('outer()', source, inner)).rejects.toBe(error);
  });
});
