import { library } from '../../tsup.base.js';

export default library(['src/index.ts', 'src/worker.ts', 'src/child.ts'], { platform: 'node' });
