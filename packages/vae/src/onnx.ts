export { type LoadOnnxVaeOptions, loadOnnxVae, type OnnxVae } from './onnx-vae.js';
