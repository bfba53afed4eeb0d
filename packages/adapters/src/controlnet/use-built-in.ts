import { InvalidOptionError } from '@sd/core';
import { describe } from '@sd/core/options';
import { fitImage, unitTensor } from '@sd/image';
import type { AdapterUse } from '../adapter.js';
import { readControls, useControls } from '../image-settings.js';
import { fusedControlNetCondition } from './fused.js';
import { controlNetOptions } from './settings.js';

export interface BuiltInControlNet {
  readonly name: string;
  /** Its index among the ControlNets of the U-Net's graph, and their number. */
  readonly index: number;
  readonly count: number;
}

/** Reads the settings of a ControlNet in an exported U-Net's graph. Rejects with an InvalidOptionError. */
export async function useBuiltInControlNet(
  { name, index, count }: BuiltInControlNet,
  settings: unknown,
  option: string,
): Promise<AdapterUse> {
  const controls = await readControls(option, settings, controlNetOptions, 'a ControlNet');
  if (controls.length > 1) {
    throw new InvalidOptionError(
      `${controls[1].option}.image`,
      `is for ${describe(name)}, which has an image already: it was exported to take one.`,
    );
  }
  const guessing = controls.find((control) => control.settings.guess);
  if (guessing !== undefined) {
    throw new InvalidOptionError(
      `${guessing.option}.guess`,
      `is not for ${describe(name)}, which was exported inside the U-Net: it acts for the negative prompt too, and on all layers equally.`,
    );
  }
  return useControls(controls, async ({ image, strength }, { width, height }) => {
    const pixels = unitTensor(fitImage(image, { width, height, fit: 'stretch' }));
    return () => fusedControlNetCondition({ index, count, image: pixels, strength });
  });
}
