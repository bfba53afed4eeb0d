export { Checkpoint, type NameTable, type OpenCheckpointOptions, openCheckpoint, renameTensors } from './checkpoint.js';
export { Config, type NumberRange, notJson, readConfig } from './config.js';
export { type FileFormat, fileFormat, hasWeightsFormat } from './file-format.js';
export { hasFile } from './has-file.js';
export { type ModelFolder, type ModelParts, openModel } from './model-parts.js';
export type { PickleFile } from './pickle/open.js';
export { readValues } from './read-values.js';
export { bytesOf, type Dtype } from './safetensors/dtype.js';
export { openSafetensors, type SafetensorsFile } from './safetensors/file.js';
export { toHalf } from './safetensors/half.js';
export { isTensorView, reshapeView, sliceView, type TensorView, transposeView } from './safetensors/tensor-view.js';
export { toFloat32 } from './safetensors/values.js';
export { type TensorToWrite, writeSafetensors } from './safetensors/writer.js';
export {
  axisSize,
  countBlocks,
  countMatching,
  range,
  shapeMatching,
  type TensorShapes,
} from './shapes.js';
export { splitByRange } from './split-by-range.js';
export { openPickle, openWeights, type WeightsFile } from './weights.js';
