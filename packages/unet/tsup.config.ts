import { library } from '../../tsup.base.js';

export default library(['src/index.ts', 'src/blocks.ts', 'src/onnx.ts', 'src/single-file.ts']);
