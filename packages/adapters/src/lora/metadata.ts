import type { LoraComponent } from './names.js';

/** The settings of a module in PEFT's config, where diffusers saved that in the file. */
export interface ModuleSettings {
  readonly alpha?: number;
  /** Divides alpha by the rank's root, arXiv 2312.03732. */
  readonly rankStabilized: boolean;
}

/**
 * Reads the configs of PEFT that diffusers keeps in a file's metadata, `lora_adapter_metadata`; gives the settings of each
 * module. Other metadata is ignored.
 */
export function readSettings(
  metadata: Readonly<Record<string, string>>,
): (component: LoraComponent, module: string) => ModuleSettings {
  const config = parsed(metadata.lora_adapter_metadata);
  return (component, module) => {
    const read = (key: string): unknown => config[`${component}.${key}`];
    const patterns = read('alpha_pattern');
    const alphas = typeof patterns === 'object' && patterns !== null ? Object.entries(patterns) : [];
    const alpha = alphas.find(([pattern]) => endsWith(module, pattern))?.[1] ?? read('lora_alpha');
    return {
      ...(typeof alpha === 'number' && Number.isFinite(alpha) ? { alpha } : {}),
      rankStabilized: read('use_rslora') === true,
    };
  };
}

function parsed(json: string | undefined): Readonly<Record<string, unknown>> {
  if (json === undefined) return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A pattern names a module, or the end of its name from a dot on. */
function endsWith(module: string, pattern: string): boolean {
  const end = pattern
    .replace(/^\^/, '')
    .replaceAll('.', '_')
    .replace(/^text_model_/, '');
  return module === end || module.endsWith(`_${end}`);
}
