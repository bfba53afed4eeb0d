export { type LoadOnnxTextEncoderOptions, loadOnnxTextEncoder, type OnnxTextEncoder } from './onnx-text-encoder.js';
