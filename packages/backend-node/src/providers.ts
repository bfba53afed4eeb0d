/** The execution providers of onnxruntime-node. Their availability depends on system and hardware. */
export const providers = ['cpu', 'cuda', 'coreml', 'dml', 'webgpu'] as const;

export type Provider = (typeof providers)[number];
