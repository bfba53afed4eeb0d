import { describe, expect, test } from 'vitest';
import { messageOf, show } from '../src/index.js';
import { describe as describeOption } from '../src/options.js';

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const readError = () => {
  throw new Error('mine');
};

describe('show', () => {
  const cases: readonly [value: unknown, text: string][] = [
    ['a "text"', '"a \\"text\\""'],
    [20, '20'],
    [Number.NaN, 'NaN'],
    [2n ** 70n, '1180591620717411303424'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('x'), 'Symbol(x)'],
    [() => 1, 'a function'],
    [[1, 'a', [2]], '[1,"a",[2]]'],
    [{ a: 1, b: { c: null } }, '{"a":1,"b":{"c":null}}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [new Map(), 'an object of type Map'],
    [Object.create({ constructor: null }), 'an object of type unknown'],
    [nested(100_000), '{"a":[{"a":[…]}]}'],
    [cyclic(), '{"self":{"self":{"self":{…}}}}'],
    [revoked(), 'an object that cannot be read'],
    [Object.defineProperty({}, 'a', { enumerable: true, get: readError }), 'an object that cannot be read'],
  ];

  test('writes data as JSON, and everything else by its type', () => {
    for (const [value, expected] of cases) expect(show(value)).toBe(expected);
  });

  const large = [
    'a'.repeat(1e6),
    9n ** 2000n,
    Array.from({ length: 1e6 }, (_, i) => i),
    new Array(1e9),
    Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i])),
    Array.from({ length: 1000 }, () => 'a'.repeat(1000)),
  ];

  test('takes 200 characters at most', () => {
    for (const value of large) expect(show(value).length).toBeLessThanOrEqual(200);
  });
});

test('an option is told by its type where it is a list or an object', () => {
  expect([[], nested(100_000), {}, Object.create(null), new Map(), 'x', Symbol('x')].map(describeOption)).toEqual([
    'a list',
    'an object',
    'an object',
    'an object',
    'an object of type Map',
    '"x"',
    'Symbol(x)',
  ]);
});

test('the message of whatever is thrown', () => {
  const unreadable = Object.defineProperty(new Error(), 'message', { get: readError });
  expect([new Error('x'), 'text', undefined, { a: 1 }, unreadable].map(messageOf)).toEqual([
    'x',
    'text',
    'undefined',
    '{"a":1}',
    'an object of type Error',
  ]);
});
