const values = [
  ...[
    null,
    true,
    false,
    0,
    1,
    -1,
    2,
    0.5,
    -0.5,
    1e9,
    1e10,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    2 ** 53 + 2,
    1e308,
    -1e308,
    1e-320,
  ],
  ...[
    '',
    '0',
    '20',
    '-1',
    'NaN',
    'Infinity',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'F32',
  ],
  ...['../../etc/passwd', '/etc/passwd', 'C:\\x', '\u0000', '\ud800', 'a'.repeat(300), '🦊', '<script>'],
  ...[[], {}, [[]], [null], [1, 2], [0], [-1], [1.5], ['a'], [2 ** 53], [2 ** 32, 2 ** 32], { a: 1 }, { length: 1e9 }],
];

/** A value that no reader of JSON expects. */
export function hostileJson(random, depth = 0) {
  const inner = () => hostileJson(random, depth + 1);
  if (depth < 3 && random.chance(0.15)) return random.times(random.range(1, 5), inner);
  if (depth < 3 && random.chance(0.1)) {
    const name = (i) => random.pick(['a', 'b', 'length', 'toJSON', `k${i}`]);
    return Object.fromEntries(random.times(random.range(1, 4), (i) => [name(i), inner()]));
  }
  // A copy: what is changed afterwards must not change the next input.
  return random.chance(0.01) ? deepMark : structuredClone(random.pick(values));
}

/** Stands for lists that are nested 20,000 deep, which only text can hold. */
const deepMark = '@deep@';

/** A copy of a JSON value, with some of its values replaced, keys renamed, and entries dropped, added or doubled. */
export function mutateJson(random, value, rounds = random.range(1, 3)) {
  let whole = structuredClone(value);
  for (let i = 0; i < rounds; i++) {
    const places = placesIn(random, whole);
    if (places.length === 0 || random.chance(0.01)) whole = hostileJson(random);
    else change(random, random.pick(places), places);
  }
  return whole;
}

function placesIn(random, whole) {
  const places = [];
  const visit = (node, depth) => {
    if (typeof node !== 'object' || node === null || depth > 6) return;
    const keys = Object.keys(node);
    for (const key of keys.length > 60 ? random.times(60, () => random.pick(keys)) : keys) {
      places.push([node, key]);
      visit(node[key], depth + 1);
    }
  };
  visit(whole, 0);
  return places;
}

function change(random, [node, key], places) {
  const value = node[key];
  switch (random.int(5)) {
    case 0:
      if (Array.isArray(node)) node.splice(Number(key), 1);
      else delete node[key];
      return;
    case 1:
      if (Array.isArray(node)) node.push(hostileJson(random));
      else rename(node, key, random.pick(['__proto__', 'constructor', `${key}x`, key.toUpperCase(), '']));
      return;
    case 2: {
      const [other, otherKey] = random.pick(places);
      node[key] = structuredClone(other[otherKey]);
      return;
    }
    case 3:
      if (typeof value === 'number') node[key] = random.pick([-value, value * 1e6, value / 3, 0, -1, String(value)]);
      else if (Array.isArray(value) && value.length < 1000) node[key] = [...value, ...value];
      else node[key] = hostileJson(random);
      return;
    default:
      node[key] = hostileJson(random);
  }
}

function rename(node, key, name) {
  const value = node[key];
  delete node[key];
  Object.defineProperty(node, name, { value, enumerable: true, configurable: true, writable: true });
}

/** JSON text, with lists of any depth in place of the marks for them. */
export function jsonText(value) {
  const deep = '['.repeat(20000) + ']'.repeat(20000);
  return (JSON.stringify(value) ?? 'null').replaceAll(`"${deepMark}"`, deep);
}
