import { library } from '../../tsup.base.js';

export default library(
  {
    index: 'src/index.ts',
    'wasm/node': 'src/wasm/node.ts',
    'wasm/web': 'src/wasm/web.ts',
  },
  { external: ['#codec-wasm'] },
);
