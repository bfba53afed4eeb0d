import type { NameTable } from '@sd/weights';

/**
 * From the names of the authors' T2I-Adapters to diffusers'. Full ones number their residual blocks through, two to a stage:
 * `body.3.block1` is the second of stage 1. Light ones have a stage's blocks inside it: `body.1.body.0.block1`.
 * @param names All names in the file.
 * @see github.com/TencentARC/T2I-Adapter, ldm/modules/encoders/adapter.py
 */
export function originalNames(names: Iterable<string>): NameTable {
  const isLight = [...names].some((name) => /^(adapter\.)?body\.\d+\.(body\.\d+\.|out_conv\.)/.test(name));
  return (name) => {
    const bare = name.replace(/^adapter\./, '');
    const [, index, rest] = /^body\.(\d+)\.(.*)$/.exec(bare) ?? [];
    if (index === undefined || rest.startsWith('resnets.')) return `adapter.${bare}`;
    if (isLight) return `adapter.body.${index}.${rest.replace(/^body\./, 'resnets.')}`;
    // diffusers' own full adapter has `in_conv` at its stage.
    if (name !== bare) return name;
    const stage = Number(index) >> 1;
    return rest.startsWith('in_conv')
      ? `adapter.body.${stage}.${rest}`
      : `adapter.body.${stage}.resnets.${Number(index) % 2}.${rest}`;
  };
}
