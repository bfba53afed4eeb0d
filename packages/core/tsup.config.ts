import { library } from '../../tsup.base.js';

export default library(['src/index.ts', 'src/options.ts', 'src/testing.ts']);
