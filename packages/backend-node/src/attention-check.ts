import type * as Ort from 'onnxruntime-node';

const [positions, width] = [64, 32];

// Python: g = make_graph([make_node('MultiHeadAttention', ['x', 'x', 'x'], ['y'], domain='com.microsoft', num_heads=1)],
// '', [x], [y]), both float32 [1, 64, 32]; opset 17 and com.microsoft 1, IR version 8.
const attention =
  'CAg6dwpBCgF4CgF4CgF4EgF5IhJNdWx0aUhlYWRBdHRlbnRpb24qEAoJbnVtX2hlYWRzGAGgAQI6DWNvbS5taWNyb3NvZnQSAFoXCgF4EhIKEAgBEgwKAggBCgIIQAoCCCBiFwoBeRISChAIARIMCgIIAQoCCEAKAgggQgQKABARQhEKDWNvbS5taWNyb3NvZnQQAQ==';

/**
 * Whether the runtime's fused attention gives correct results. On WebGPU its flash form assumes subgroups of at least 8
 * invocations; with 4, as in software rendering, it is off by up to a third.
 */
export async function isAttentionRight(
  ort: typeof Ort,
  options: Ort.InferenceSession.SessionOptions,
): Promise<boolean> {
  const x = Float32Array.from({ length: positions * width }, (_, i) => Math.sin(i * i));
  const session = await ort.InferenceSession.create(new Uint8Array(Buffer.from(attention, 'base64')), options);
  try {
    const { y } = await session.run({ x: new ort.Tensor('float32', x, [1, positions, width]) });
    const expected = referenceAttention(x);
    return (y.data as Float32Array).every((value, i) => Math.abs(value - expected[i]) < 1e-3);
  } finally {
    await session.release();
  }
}

/** softmax(x x^T / sqrt(width)) x (arXiv 1706.03762, equation 1). */
function referenceAttention(x: Float32Array): number[] {
  const rows = Array.from({ length: positions }, (_, i) => x.subarray(i * width, (i + 1) * width));
  return rows.flatMap((query) => {
    const scores = rows.map((key) => Math.exp(query.reduce((sum, q, i) => sum + q * key[i], 0) / Math.sqrt(width)));
    const total = scores.reduce((sum, score) => sum + score);
    return Array.from(query, (_, i) => rows.reduce((sum, row, j) => sum + (scores[j] / total) * row[i], 0));
  });
}
