import type { AdapterKind } from './adapter.js';
import { controlLora } from './controlnet/control-lora/kind.js';
import { controlNet } from './controlnet/kind.js';
import type { ControlNetSettings } from './controlnet/settings.js';
import { hypernetwork } from './hypernetwork/kind.js';
import { ipAdapter } from './ip-adapter/kind.js';
import type { IpAdapterSettings } from './ip-adapter/settings.js';
import { lora } from './lora/kind.js';
import type { LoraSettings } from './lora/settings.js';
import { motion } from './motion/kind.js';
import type { MotionSettings } from './motion/settings.js';
import type { Strength } from './strength.js';
import { t2iAdapter } from './t2i-adapter/kind.js';
import type { T2iAdapterSettings } from './t2i-adapter/settings.js';
import { textualInversion } from './textual-inversion/kind.js';

/** All kinds, in the order in which the names of a file's tensors tell them apart. */
export const adapterKinds: readonly AdapterKind[] = [
  hypernetwork,
  ipAdapter,
  controlLora,
  controlNet,
  lora,
  motion,
  t2iAdapter,
  textualInversion,
];

/** A run's settings of an attached adapter; its kind checks them. */
export type AdapterSettings =
  | LoraSettings
  | MotionSettings
  | IpAdapterSettings
  | ControlNetSettings
  | T2iAdapterSettings
  | readonly (ControlNetSettings | T2iAdapterSettings)[]
  | Strength;
