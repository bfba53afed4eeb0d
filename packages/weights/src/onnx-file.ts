export { type OnnxFile, type OpenOnnxOptions, openOnnxFile } from './onnx-file/open.js';
export { missingOperators } from './onnx-file/operators.js';
export { type OnnxRunOptions, type OnnxSession, onnxSession } from './onnx-file/session.js';
