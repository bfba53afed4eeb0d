import type { NameTable } from '@sd/weights';

/** Older files name the parts of attention otherwise. */
const oldNames: Readonly<Record<string, string>> = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' };

/** From the names of any version of diffusers to those of today. */
export const vaeNames: NameTable = (name) =>
  name.replace(/(\.attentions\.\d+\.)(query|key|value|proj_attn)\./, (_, at, old) => `${at}${oldNames[old]}.`);
