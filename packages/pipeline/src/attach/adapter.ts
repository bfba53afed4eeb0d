import type { LayerExtension } from '@sd/graph';
import type { UnetExtension } from '@sd/unet';

/** What can be attached to a pipeline. */
export type AdapterKind =
  | 'lora'
  | 'hypernetwork'
  | 'textual-inversion'
  | 'controlnet'
  | 't2i-adapter'
  | 'ip-adapter'
  | 'motion-adapter';

/** Something that was attached to a pipeline. */
export interface Attachment {
  /** What `generate` calls it by. */
  readonly name: string;
  readonly kind: AdapterKind;
}

/** What an attached file brings, and where it goes. */
export interface Adapter extends Attachment {
  readonly unet?: UnetExtension;
  readonly textEncoder?: LayerExtension;
  readonly textEncoder2?: LayerExtension;
  /** Called once the graphs are written: throws a CheckpointError where what it brings found no place in them. */
  check?(): void;
  /** Frees what it holds beside those extensions. */
  dispose?(): Promise<void>;
}
