/** Names that tools give to any file: the name of its folder or repository counts instead. */
const generic =
  /^(pytorch_lora_weights|pytorch_model|diffusion_pytorch_model|adapter_model|model|unet|transformer|lora|lora_weights|weights|main|master|resolve|blob|snapshots|checkpoints?|[\da-f]{40}|comfy|sd15|sdxl|sd3)$/i;

const extension = /\.(safetensors|ckpt|pt|pth|bin|onnx)$/i;

/** Names are searched up to this length: a longer one is not a name. */
const longest = 500;

/** Metadata in which trainers and converters keep a file's name. The base model's name would mislead. */
const titles = ['modelspec.title', 'ss_output_name', 'name'] as const;

/**
 * The names by which a file or folder may be recognised: its own, or that of the nearest folder without a generic name, the
 * repository of a hub, and the titles in its metadata.
 * @param address A path, a URL, or a file's name.
 */
export function fileNames(address: string, metadata: Readonly<Record<string, string>> = {}): string[] {
  const [plain] = address.slice(-longest).split(/[?#]/);
  const parts = plain
    .split(/[/\\]/)
    .map((part) => part.replace(extension, '').replace(/\.(fp16|bf16|fp32)$/i, ''))
    .filter((part) => part !== '');
  const baseName = parts.findLast((part) => !generic.test(part)) ?? '';
  return [baseName, repositoryOf(plain), ...titles.map((title) => metadata[title])]
    .filter((name) => typeof name === 'string' && name !== '')
    .map((name) => name.slice(0, longest));
}

/** The repository in a hub's URL, or in a folder of its cache: `Hyper-SD` in `models--ByteDance--Hyper-SD`. */
function repositoryOf(address: string): string {
  const found = /(?:^|[/\\])models--[^/\\]+?--([^/\\]+)|^https?:\/\/[^/]+\/[^/]+\/([^/]+)\/(?:resolve|blob)\//.exec(
    address,
  );
  return found?.[1] ?? found?.[2] ?? '';
}
