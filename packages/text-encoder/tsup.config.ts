import { library } from '../../tsup.base.js';

export default library(['src/index.ts', 'src/onnx.ts', 'src/single-file.ts', 'src/testing.ts']);
