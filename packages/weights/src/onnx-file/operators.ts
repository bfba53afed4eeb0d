import { UnsupportedError } from '@sd/core';

/** Operators that ONNX Runtime's optimizers insert for some providers, and the providers that lack them. */
const lackedBy: Readonly<Record<string, readonly string[]>> = {
  'com.microsoft.GroupNorm': ['cpu', 'wasm', 'webgpu', 'coreml'],
  'com.microsoft.SkipGroupNorm': ['cpu', 'wasm', 'webgpu', 'coreml', 'dml'],
  'com.microsoft.NhwcConv': ['cpu', 'wasm', 'webgpu', 'coreml'],
  'com.microsoft.BiasSplitGelu': ['cpu', 'wasm', 'coreml'],
  'com.microsoft.BiasAdd': ['cpu', 'wasm', 'coreml'],
};

/** Those of the operators that a provider lacks. */
export function missingOperators(operators: Iterable<string>, provider: string): string[] {
  return [...operators].filter((name) => Object.hasOwn(lackedBy, name) && lackedBy[name].includes(provider));
}

/** Throws an UnsupportedError that suggests other providers if a model uses operators that this one lacks. */
export function expectOperators(path: string, operators: Iterable<string>, provider: string): void {
  const missing = missingOperators(operators, provider);
  if (missing.length === 0) return;
  const others = ['webgpu', 'dml', 'cuda'].filter((name) => missingOperators(operators, name).length === 0);
  throw new UnsupportedError(
    `${path} was optimized for other hardware: it uses ${missing.join(', ')}, which ONNX Runtime's provider ${provider} lacks. ` +
      `Run it on ${others.join(' or ')}, or export the model again without these optimizations.`,
  );
}
