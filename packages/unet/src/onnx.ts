export { type FusedControlNetOptions, fusedControlNetCondition } from './onnx/fused-controlnets.js';
export { type LoadOnnxControlNetOptions, loadOnnxControlNet, type OnnxControlNet } from './onnx/onnx-controlnet.js';
export { type LoadOnnxUnetOptions, loadOnnxUnet, type OnnxUnet } from './onnx/onnx-unet.js';
