import { library } from '../../tsup.base.js';

export default library(
  {
    index: 'src/index.ts',
    'platform/node': 'src/platform/node.ts',
    'platform/web': 'src/platform/web.ts',
    'worker/page': 'src/worker/page.ts',
    'worker/serve': 'src/worker/serve.ts',
  },
  { external: ['#platform'] },
);
