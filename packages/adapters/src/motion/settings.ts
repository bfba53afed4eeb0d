import { type OptionTable, whole } from '@sd/core/options';

export interface MotionSettings {
  /** Frames of a clip: 16 by default, or as many as the adapter tells apart where those are fewer. */
  readonly frames?: number | undefined;
}

export const motionOptions: OptionTable<MotionSettings> = {
  frames: {
    ...whole(1),
    default: '16, or as many as the adapter tells apart',
    text: 'Frames of a clip.',
  },
};
