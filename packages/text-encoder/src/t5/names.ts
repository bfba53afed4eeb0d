import type { NameTable } from '@sd/weights';

/** Drops the decoder's tensors of a whole T5. */
export const t5EncoderNames: NameTable = (name) => (/^(decoder|lm_head)\./.test(name) ? undefined : name);
