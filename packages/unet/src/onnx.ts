export { controlImagesInput, scalesInput } from './onnx/fused-controlnets.js';
export { type NamedInput, namedInputs, sizeOfAxis } from './onnx/inputs.js';
export { type LoadOnnxUnetOptions, loadOnnxUnet, type OnnxUnet } from './onnx/onnx-unet.js';
export { residualOutputs } from './onnx/residual-names.js';
export { timestepFor } from './onnx/timestep.js';
