import type { NameTable } from '@sd/weights';

/** The first adapters number their residual blocks through, two to a stage: `body.3.block1` is the second of stage 1. */
export const originalNames: NameTable = (name) => {
  if (name.startsWith('adapter.')) return name;
  const [, index, rest] = /^body\.(\d+)\.(.*)$/.exec(name) ?? [];
  if (index === undefined || /^(resnets|out_conv)\b/.test(rest)) return `adapter.${name}`;
  const stage = Number(index) >> 1;
  return rest.startsWith('in_conv')
    ? `adapter.body.${stage}.${rest}`
    : `adapter.body.${stage}.resnets.${Number(index) % 2}.${rest}`;
};
