import { library } from '../../tsup.base.js';

export default library(
  {
    index: 'src/index.ts',
    'platform/node': 'src/platform/node.ts',
    'platform/web': 'src/platform/web.ts',
    'worker/client': 'src/worker/client.ts',
    'worker/serve': 'src/worker/serve.ts',
  },
  { external: ['#platform'] },
);
