// node scripts/readme-command.js NAME: prints the command after <!-- ci: NAME --> in README.md
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { firstBlock } from './support/markdown.js';
import { root } from './support/packages.js';

const name = process.argv[2];
const mark = `<!-- ci: ${name} -->\n`;
const readme = await readFile(path.join(root, 'README.md'), 'utf8');
const at = readme.indexOf(mark);
const after = readme.slice(at + mark.length).trimStart();
const block = at >= 0 && after.startsWith('```sh\n') ? firstBlock(after, 'sh') : undefined;
const lines = block?.trim().split('\n') ?? [];
if (lines.length !== 1) throw new Error(`README.md: a \`\`\`sh block of one line must follow ${mark.trim()}.`);
console.log(lines[0]);
