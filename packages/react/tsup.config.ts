import { library } from '../../tsup.base.js';

export default library({
  index: 'src/index.ts',
  'element/index': 'src/element/index.ts',
  worker: 'src/worker.ts',
});
