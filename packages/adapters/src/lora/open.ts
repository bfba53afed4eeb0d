import { tensor, type Warning } from '@sd/core';
import { describe } from '@sd/core/options';
import type { Adapter, AdapterFile, AttachContext } from '../adapter.js';
import { requireWeights } from '../requirements.js';
import { fractionOf, strengthAt } from '../strength.js';
import { unused, unusedTensors } from '../warnings.js';
import { componentTitle, openLora } from './lora.js';
import { readPeftConfig } from './metadata.js';
import { type LoraStrengths, readLoraSettings } from './settings.js';
import { readWords } from './words.js';

/** Opens a LoRA or a related adapter for a model, with PEFT's config next to it and the words bundled in it. */
export async function openLoraAdapter(file: AdapterFile, { model, families }: AttachContext): Promise<Adapter> {
  const { name } = file;
  const noisePredictor = model.noisePredictorComponent;
  const components = [noisePredictor, ...model.textEncoders.keys()];
  const weights = requireWeights(file);
  const lora = openLora(weights, { name, families, peftConfig: await readPeftConfig(weights) });
  lora.expectComponents(components);
  const { words, unused: untaught } = await readWords(weights, model);
  const extensions: Adapter['extensions'] = lora.extensions;
  const input = (strength: number) => ({
    [`strength.${name}`]: tensor('float32', [1], Float32Array.of(strength)),
  });
  return {
    name,
    kind: 'lora',
    extensions,
    check: lora.check,
    warnings: () => [
      ...unusedTensors([...lora.unusedTensors, ...untaught]),
      ...unused('unmatched-modules', 'The model has no layer for modules of the LoRA', lora.unmatched()),
    ],
    use(settings = 1, option) {
      const strengthIn = readLoraSettings(option, settings, components);
      return {
        warnings:
          typeof settings === 'object' ? withoutEffect(name, option, settings as LoraStrengths, extensions) : [],
        words: (component) => words.get(component),
        textInputs(component) {
          if (!(component in extensions)) return {};
          const text = strengthIn(component);
          return input(strengthAt(text.option, text.strength, 0));
        },
        ...(noisePredictor in extensions && {
          condition: () => {
            const noise = strengthIn(noisePredictor);
            return (call) => input(strengthAt(noise.option, noise.strength, fractionOf(call.progress)));
          },
        }),
      };
    },
    settingsFor({ kind, textWeight, unetWeight }) {
      if (kind !== 'lora' && kind !== 'lyco') return undefined;
      if (textWeight === unetWeight) return unetWeight;
      const changed = [...model.textEncoders.keys()].filter((component) => component in extensions);
      const texts = changed.length > 0 ? changed : model.textEncoders.keys();
      return { [noisePredictor]: unetWeight, ...Object.fromEntries([...texts].map((text) => [text, textWeight])) };
    },
  };
}

/** Warnings for strengths in components that the LoRA does not change. */
function withoutEffect(
  name: string,
  option: string,
  settings: LoraStrengths,
  extensions: Adapter['extensions'],
): Warning[] {
  return Object.entries(settings).flatMap(([component, strength = 0]) =>
    strength === 0 || component in extensions
      ? []
      : {
          code: 'strength-unused',
          message: `${option}.${component} has no effect: ${describe(name)} changes nothing in the ${componentTitle(component)}.`,
        },
  );
}
