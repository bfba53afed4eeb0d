import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { library } from '../../tsup.base.js';

/** `import text from './page.html?raw'`: the text of a file, as in Vite. */
const raw = {
  name: 'raw',
  setup(build: import('esbuild').PluginBuild) {
    build.onResolve({ filter: /[?]raw$/ }, (args) => ({
      // With its ending, no other plugin takes it for a style sheet.
      path: path.resolve(args.resolveDir, args.path),
      namespace: 'raw',
    }));
    build.onLoad({ filter: /./, namespace: 'raw' }, async (args) => ({
      contents: await readFile(args.path.replace(/[?]raw$/, ''), 'utf8'),
      loader: 'text',
    }));
  },
};

export default library(['src/index.ts', 'src/node.ts'], { platform: 'node', esbuildPlugins: [raw] });
