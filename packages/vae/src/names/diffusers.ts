import type { NameTable } from '@sd/weights';

/** Names of the attention layers in older files. */
const oldNames: Readonly<Record<string, string>> = { query: 'to_q', key: 'to_k', value: 'to_v', proj_attn: 'to_out.0' };

/** Translates tensor names of any version of diffusers to the current ones. */
export const vaeNames: NameTable = (name) =>
  name.replace(/(\.attentions\.\d+\.)(query|key|value|proj_attn)\./, (_, at, old) => `${at}${oldNames[old]}.`);
