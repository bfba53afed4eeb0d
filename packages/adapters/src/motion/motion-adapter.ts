import { barrier, CheckpointError } from '@sd/core';
import { Scope } from '@sd/graph';
import type { UnetConfig, UnetExtension } from '@sd/unet';
import { type ModelFolder, type ModelParts, openModel } from '@sd/weights';
import { expectSupportedAdapter } from '../unsupported-files.js';
import { type MotionConfig, motionConfig } from './config.js';
import { motionModule } from './module.js';

/** Name of the U-Net's input for how many frames a clip has, [1]. */
export const framesInput = 'frames';

/** Layers between those of a U-Net for images, in which the frames of a clip see each other. */
export interface MotionAdapter {
  readonly config: MotionConfig;
  readonly extension: UnetExtension;
  readonly unusedTensors: () => readonly string[];
}

export type LoadMotionAdapterOptions = (ModelFolder | ModelParts) & {
  /** The U-Net that it is to be added to. */
  readonly unet: UnetConfig;
};

/**
 * Opens a motion adapter in diffusers' layout, or as weights and a config. Throws SourceError, UnsupportedError, and a CheckpointError for one of
 * another family, which names the first tensor that does not fit.
 */
export function loadMotionAdapter(options: LoadMotionAdapterOptions): Promise<MotionAdapter> {
  return barrier('loadMotionAdapter()', () => load(options));
}

async function load({ unet, ...from }: LoadMotionAdapterOptions): Promise<MotionAdapter> {
  const { checkpoint, config: file } = await openModel(from, {
    folder: 'motion_adapter',
    stems: ['diffusion_pytorch_model', 'model'],
  });
  expectSupportedAdapter(checkpoint.name, checkpoint.names);
  const config = motionConfig(file);
  const w = new Scope(checkpoint);
  expectFamily(w, unet, file.file);
  return {
    config,
    unusedTensors: () => checkpoint.unused(),
    extension: {
      name: 'motion',
      extend(g) {
        const frames = g.toInt64(g.input(framesInput, [1]));
        return {
          feature(place, x) {
            const module = place.replace('.layers.', '.motion_modules.');
            return module !== place && w.has(module) ? motionModule(g, w.at(module), x, frames, config) : x;
          },
        };
      },
    },
  };
}

/** Every level's first module is for as many channels as the level has, and there is one after each residual block. */
function expectFamily(w: Scope, { levels }: UnetConfig, file: string): void {
  levels.forEach(({ channels, resnets }, i) => {
    w.at('down_blocks', i, 'motion_modules', 0).tensor('norm.weight', [channels]);
    if (w.has(`down_blocks.${i}.motion_modules.${resnets - 1}`) && !w.has(`down_blocks.${i}.motion_modules.${resnets}`))
      return;
    throw new CheckpointError(
      'bad-checkpoint',
      file,
      `is for a U-Net with another number of layers in down_blocks.${i}, where this one has ${resnets}: it was made for another family of models.`,
    );
  });
}
