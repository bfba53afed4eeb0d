const pieces = [
  ...[
    'Steps: 20',
    'a',
    'Negative prompt:',
    '\n',
    ', ',
    ':',
    '"',
    '\\',
    'Sampler: Euler a',
    'Seed: 1',
    'Size: 64x64',
    '\\"',
  ],
  ...[
    '"a, b"',
    '__proto__: 1',
    'constructor: x, ',
    'toString: 1, ',
    '🦊',
    '\u0000',
    'Prompt: "x", ',
    'Negative prompt: "y", ',
  ],
  ...[
    'aaaa',
    '   ',
    '\r',
    '-',
    '/',
    '_',
    'é',
    'x: "',
    '", y: "',
    '\\\\',
    '\u2028',
    '\ud800',
    'Lora hashes: "a: b, c: d", ',
  ],
];

/** A text with parts of A1111's settings. */
export function settingsText(random, most = 30) {
  const some = random.chance(0.5) ? random.times(random.range(1, 5), () => random.pick(pieces)) : pieces;
  return random.times(random.range(0, most), () => random.pick(some)).join('');
}
