import { UnsupportedError } from '@sd/core';

/**
 * The operators that diffusion models, text and image encoders and autoencoders are exported with, by the exporters of
 * PyTorch, optimum, Olive and ONNX Runtime's own optimizers. Others are refused by name, since each kernel of the runtime
 * that an untrusted graph can reach is native code to trust. Loops are among them: a graph with one may never end.
 */
const onnx =
  'Abs Acos Add And ArgMax ArgMin Asin Atan Attention AveragePool BatchNormalization Cast CastLike Ceil Clip Concat ' +
  'Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout ' +
  'DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND Gelu Gemm ' +
  'GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Identity If ' +
  'InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul MatMulInteger Max ' +
  'MaxPool Mean Min Mish Mod Mul Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization ' +
  'RandomNormal RandomNormalLike Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare ' +
  'Relu Reshape Resize RotaryEmbedding Round ScatterElements ScatterND Selu Shape Sigmoid Sign SimplifiedLayerNormalization Sin ' +
  'Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh Tile TopK Transpose Trilu ' +
  'Unsqueeze Upsample Where Xor';

const microsoft =
  'Attention BiasAdd BiasGelu BiasSplitGelu DequantizeLinear DynamicQuantizeMatMul EmbedLayerNormalization FastGelu ' +
  'FusedConv FusedGemm FusedMatMul GatherBlockQuantized GatedRelativePositionBias Gelu GroupNorm GroupQueryAttention ' +
  'MatMulInteger16 MatMulIntegerToFloat MatMulNBits MultiHeadAttention NhwcConv PackedAttention PackedMultiHeadAttention ' +
  'QAttention QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul ' +
  'QLinearReduceMean QLinearSigmoid QLinearSoftmax QLinearWhere QOrderedMatMul QuantizeLinear QuickGelu RelativePositionBias ' +
  'RotaryEmbedding SimplifiedLayerNormalization SkipGroupNorm SkipLayerNormalization SkipSimplifiedLayerNormalization ' +
  'SparseAttention Trilu';

const namesIn = (list: string, prefix = '') => list.split(' ').map((name) => `${prefix}${name}`);

/** Throws an UnsupportedError that names the operators that are not allowed. */
export function expectAllowed(path: string, operators: Iterable<string>): void {
  const allowed = new Set([...namesIn(onnx), ...namesIn(microsoft, 'com.microsoft.')]);
  const refused = [...operators].filter((name) => !allowed.has(name));
  if (refused.length === 0) return;
  const listed = refused.slice(0, 8).map((name) => JSON.stringify(name.slice(0, 80)));
  throw new UnsupportedError(
    `${path} uses ${listed.join(', ')}${refused.length > 8 ? ' and others' : ''}, which no supported model needs. ` +
      'Export the model again without them.',
  );
}
