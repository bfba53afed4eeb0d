// Replaces onnxruntime-node in the backend's worker, and reports how long its native runs take.
import { BroadcastChannel } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';

const channel = new BroadcastChannel('sd-bench-native-runs');
channel.unref();

export const { Tensor, env, listSupportedBackends } = ort;

export const InferenceSession = {
  async create(...options) {
    const session = await ort.InferenceSession.create(...options);
    const run = session.run.bind(session);
    session.run = async (...feeds) => {
      const start = performance.now();
      const outputs = await run(...feeds);
      channel.postMessage(performance.now() - start);
      return outputs;
    };
    return session;
  },
};
