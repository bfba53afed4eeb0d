/** Endings of weights files. Any other path is a file if there is one. */
export const weightFile = /\.(safetensors|sft|ckpt|pt|pth|bin|onnx|gguf)$/i;

/** A path's last name, without the ending of a weights file. */
export function stemOf(path: string): string {
  const trimmed = path.replace(/[/\\]+$/, '');
  return trimmed.slice(trimmed.search(/[^/\\]*$/)).replace(weightFile, '');
}
