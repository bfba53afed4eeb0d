export type {
  AdaptedModel,
  Adapter,
  AdapterFile,
  AdapterFinding,
  AdapterKind,
  AdapterPass,
  AdapterUse,
  AttachContext,
  ClipUse,
  Detail,
  LearnedWords,
  PromptMention,
} from './adapter.js';
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
export { type ControlNetSettings, controlNetOptions } from './controlnet/settings.js';
export { familyOfContext, type ModelFamily } from './family.js';
export {
  type HypernetworkExtension,
  type HypernetworkOptions,
  hypernetworkExtension,
} from './hypernetwork/hypernetwork.js';
export type { ControlSettings, ImageStrengthSettings } from './image-settings.js';
export { imagePromptCondition } from './ip-adapter/image-prompt.js';
export { type ImagePrompt, type IpAdapter, type LoadIpAdapterOptions, loadIpAdapter } from './ip-adapter/ip-adapter.js';
export type { IpAdapterKind } from './ip-adapter/read.js';
export { type IpAdapterSettings, ipAdapterOptions } from './ip-adapter/settings.js';
export { type AdapterSettings, adapterKinds } from './kinds.js';
export { type Lora, type OpenLoraOptions, openLora } from './lora/lora.js';
export type { LoraComponent } from './lora/names.js';
export { type LoraSettings, type LoraStrengths, loraOptions } from './lora/settings.js';
export { clipUnet } from './motion/clip-unet.js';
export { type MotionConfig, motionConfig } from './motion/config.js';
export { type LoadMotionAdapterOptions, loadMotionAdapter, type MotionAdapter } from './motion/motion-adapter.js';
export { type MotionSettings, motionOptions } from './motion/settings.js';
export type { Strength } from './strength.js';
export { type T2iAdapterConfig, t2iAdapterConfig } from './t2i-adapter/config.js';
export { t2iAdapterConfigFromShapes } from './t2i-adapter/config-from-shapes.js';
export { t2iAdapterCondition, t2iAdapterInputs } from './t2i-adapter/residuals.js';
export { type T2iAdapterSettings, t2iAdapterOptions } from './t2i-adapter/settings.js';
export { type LoadT2iAdapterOptions, loadT2iAdapter, type T2iAdapter } from './t2i-adapter/t2i-adapter.js';
export { readTextualInversion, type TextualInversion } from './textual-inversion/read.js';
export {
  adapterRows,
  type UnsupportedFile,
  unsupportedFile,
  unsupportedFiles,
  unsupportedModel,
  unsupportedSentence,
} from './unsupported-files.js';
