import { UnsupportedError } from '@sd/core';

/** Operators that ONNX Runtime's optimizers put into models for some providers, and the providers without them. */
const without: Readonly<Record<string, readonly string[]>> = {
  'com.microsoft.GroupNorm': ['cpu', 'wasm', 'webgpu', 'coreml'],
  'com.microsoft.SkipGroupNorm': ['cpu', 'wasm', 'webgpu', 'coreml', 'dml'],
  'com.microsoft.NhwcConv': ['cpu', 'wasm', 'webgpu', 'coreml'],
  'com.microsoft.BiasSplitGelu': ['cpu', 'wasm', 'coreml'],
  'com.microsoft.BiasAdd': ['cpu', 'wasm', 'coreml'],
};

/** Which of these operators a provider has not. */
export function missingOperators(operators: Iterable<string>, provider: string): string[] {
  return [...operators].filter((name) => Object.hasOwn(without, name) && without[name]!.includes(provider));
}

/** Throws an UnsupportedError for a model with operators that the provider has not, and says which has them. */
export function expectOperators(path: string, operators: Iterable<string>, provider: string): void {
  const missing = missingOperators(operators, provider);
  if (missing.length === 0) return;
  const others = ['webgpu', 'dml', 'cuda'].filter((one) => missingOperators(operators, one).length === 0);
  throw new UnsupportedError(
    `${path} was fused for other hardware: it uses ${missing.join(', ')}, which ONNX Runtime's provider ${provider} has not. ` +
      `Run it on ${others.join(' or ')}, or export the model again without these optimizations.`,
  );
}
