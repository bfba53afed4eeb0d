import type { Failure } from './protocol.js';
import type { Provider } from './providers.js';

const advice: Record<Provider, string> = {
  cpu: 'Check that onnxruntime-node is installed and has a binary for this system.',
  cuda:
    'CUDA needs Linux x64, an NVIDIA driver, CUDA 12 with cuDNN 9, and the libraries that ' +
    '`ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node` downloads.',
  coreml: 'CoreML needs macOS on Apple silicon.',
  dml: 'DirectML needs Windows 10 or later.',
  webgpu: 'WebGPU needs a graphics driver (on Linux, one for Vulkan). It is not available for Linux on ARM.',
};

/** Explains why the runtime or its provider did not start, and what to do. */
export function startMessage(runtime: string, provider: Provider, failure: Failure): string {
  const machine = `${process.platform}/${process.arch}`;
  if (failure.stage === 'runtime') {
    return `ONNX Runtime could not be imported from '${runtime}' on ${machine}. ${advice.cpu} It said: ${failure.text}`;
  }
  const missing = failure.supported !== undefined && !failure.supported.includes(provider);
  const problem = missing
    ? `The provider '${provider}' is not in ${runtime} on ${machine}, which has ${failure.supported.join(', ')}.`
    : `The provider '${provider}' could not start.`;
  const cause = missing ? '' : ` ONNX Runtime said: ${failure.text}`;
  return `${problem} ${advice[provider]} Or use the provider 'cpu'.${cause}`;
}
