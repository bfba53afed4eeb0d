// Prompts of every syntax: special characters in any order, and their prompts at every step.
import { parsePrompt, scheduleTexts } from '@sd/tokenizer/prompt';

const pieces = [
  ...[
    '(',
    ')',
    '[',
    ']',
    ':',
    '|',
    '\\',
    '\\(',
    '\\)',
    '"',
    "'",
    '<',
    '>',
    '=',
    ',',
    '.',
    ' ',
    '\n',
    '\t',
    '+',
    '-',
    '++',
    '--',
  ],
  ...[
    '<lora:',
    '<lora:x:1>',
    '<hypernet:y:',
    '1',
    '0.5',
    '1e9',
    '1e309',
    '-0',
    '.5',
    '5.',
    'NaN',
    'AND',
    ' AND ',
    'BREAK',
  ],
  ...[
    '.and(',
    '.blend(',
    '.swap(',
    '.attend(',
    'withLora(',
    'useLora(a, 1)',
    'no_normalize',
    'embedding:',
    'embedding:x',
  ],
  ...[
    'a',
    'cat',
    'word',
    'é',
    '🦊',
    '\ud800',
    '\u0000',
    '\u2028',
    'ß',
    'İ',
    'Σ',
    '__proto__',
    'constructor',
    '${',
    '`',
    '{',
    '}',
  ],
];

export default () => ({
  generate(random) {
    const some = random.chance(0.5) ? random.times(random.range(1, 5), () => random.pick(pieces)) : pieces;
    const length = random.chance(0.01) ? random.range(200, 3000) : random.range(0, 40);
    const text = random.times(length, () => random.pick(some)).join('');
    const syntax = random.pick(['a1111', 'comfyui', 'compel', random.chance(0.2) ? 'plain' : 'a1111']);
    const firstPassSteps = random.chance(0.3) ? random.range(1, 20) : undefined;
    return { syntax, text, negative: random.chance(0.3), steps: random.range(1, 20), firstPassSteps };
  },
  run({ syntax, text, negative, steps, firstPassSteps }) {
    const plan = parsePrompt(text, { syntax, negative });
    const texts = scheduleTexts(plan, { steps, ...(firstPassSteps !== undefined && { firstPassSteps }) });
    for (let step = 0; step < steps; step++) texts.at(step);
    const hasWeight = ({ weight }) => Number.isFinite(weight);
    for (const part of plan.parts) {
      const { clauses } = part.at({ step: 0, steps });
      const mixes = clauses.flatMap(({ mix }) => mix);
      const fragments = mixes.flatMap(({ sections }) => sections).flat();
      if (![part, ...clauses, ...mixes, ...fragments].every(hasWeight)) throw new Error('a weight is not finite');
    }
  },
});
