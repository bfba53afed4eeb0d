import { library } from '../../tsup.base.js';

export default library(['src/index.ts', 'src/attention.ts', 'src/blocks.ts', 'src/onnx.ts', 'src/single-file.ts']);
