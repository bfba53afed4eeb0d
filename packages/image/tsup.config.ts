import { library } from '../../tsup.base.js';

export default library(
  {
    index: 'src/index.ts',
    'jpeg/wasm/node': 'src/jpeg/wasm/node.ts',
    'jpeg/wasm/web': 'src/jpeg/wasm/web.ts',
  },
  { external: ['#jpeg-wasm'] },
);
