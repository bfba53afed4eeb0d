export { type ControlNetConfig, controlNetConfig } from './controlnet/config.js';
export { controlNetConfigFromShapes } from './controlnet/config-from-shapes.js';
export {
  type ControlNet,
  type ControlNetInput,
  type LoadControlNetOptions,
  loadControlNet,
} from './controlnet/controlnet.js';
export { type FusedControlNetOptions, fusedControlNetCondition } from './controlnet/fused.js';
export {
  type LoadOnnxControlNetOptions,
  loadOnnxControlNet,
  type OnnxControlNet,
} from './controlnet/onnx-controlnet.js';
export {
  type ActingControlNet,
  type ControlNetConditionOptions,
  controlNetCondition,
  controlNetInputs,
} from './controlnet/residuals.js';
export { familyOfText } from './families.js';
export { type Hypernetwork, hypernetwork } from './hypernetwork/hypernetwork.js';
export { imagePromptCondition } from './ip-adapter/image-prompt.js';
export { type ImagePrompt, type IpAdapter, type LoadIpAdapterOptions, loadIpAdapter } from './ip-adapter/ip-adapter.js';
export type { IpAdapterKind } from './ip-adapter/read.js';
export type { LoraFamily } from './lora/family.js';
export { originOf } from './lora/family.js';
export { type Lora, type OpenLoraOptions, openLora } from './lora/lora.js';
export { type LoraModule, readModules } from './lora/modules.js';
export { clipUnet } from './motion/clip-unet.js';
export { type MotionConfig, motionConfig } from './motion/config.js';
export { type LoadMotionAdapterOptions, loadMotionAdapter, type MotionAdapter } from './motion/motion-adapter.js';
export { originalMotionNames } from './motion/names.js';
export { type T2iAdapterConfig, t2iAdapterConfig } from './t2i-adapter/config.js';
export { originalNames as originalT2iAdapterNames } from './t2i-adapter/names.js';
export { t2iAdapterCondition, t2iAdapterInputs } from './t2i-adapter/residuals.js';
export { type LoadT2iAdapterOptions, loadT2iAdapter, type T2iAdapter } from './t2i-adapter/t2i-adapter.js';
export { readTextualInversion, type TextualInversion } from './textual-inversion/read.js';
