/** The execution providers of onnxruntime-node. Which of them a machine has depends on its system and hardware. */
export const providers = ['cpu', 'cuda', 'coreml', 'dml', 'webgpu'] as const;

export type Provider = (typeof providers)[number];
