import { type OptionTable, whole } from '@sd/core/options';

export interface MotionSettings {
  /** Frames of a clip: 16 by default, or as many as the adapter tells apart where those are fewer. */
  readonly frames?: number | undefined;
}

export const motionOptions: OptionTable<MotionSettings> = {
  frames: {
    ...whole(1),
    default: '16, or fewer if the adapter has fewer positions',
    text: 'How many frames a clip has.',
  },
};
