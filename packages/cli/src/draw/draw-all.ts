import path from 'node:path';
import { InvalidOptionError } from '@sd/core';
import type { EncodeOptions } from '@sd/image';
import {
  type AdapterSettings,
  type GenerateOptions,
  type GenerateResult,
  loadPipeline,
  loadTable,
  type Pipeline,
} from '@sd/pipeline';
import type { Context } from '../context.js';
import { valuesOf } from '../options/table-options.js';
import { createDisplay, type Display } from './display.js';
import { formatOfFile, type ImageFiles, imageFiles } from './image-files.js';
import { readInput } from './input-file.js';
import { readRequests } from './requests.js';
import type { DrawValues } from './values.js';

/** Loads the model, attaches the adapters, draws every prompt, and saves each image as soon as it is finished. */
export async function drawAll(words: string, values: DrawValues, context: Context): Promise<void> {
  const requests = await readRequests(words, values, context);
  const { signal } = context;
  const display = createDisplay(values, context);
  const sd = await loadPipeline(values.model, { ...valuesOf(values, loadTable), signal });
  try {
    for (const warning of sd.warnings) display.warn(warning);
    const adapters = await attachAll(sd, values, display, signal);
    const { output, format = formatOfFile(output), quality } = values;
    const save: Save = { files: imageFiles(output, format), encoding: { format, quality } };
    for (const request of requests) await draw(sd, { ...request, adapters, signal }, save, display);
  } finally {
    display.close();
    await sd.dispose();
  }
}

interface Save {
  readonly files: ImageFiles;
  readonly encoding: EncodeOptions;
}

async function draw(sd: Pipeline, request: GenerateOptions, save: Save, display: Display): Promise<void> {
  const stream = sd.stream(request);
  const saved: string[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return finish(value, saved, display);
    if (value.type === 'step') await display.step(value);
    if (value.type !== 'image') continue;
    const seed = BigInt(value.seed);
    const bytes = await value.image.encode(save.encoding);
    const file = await save.files.write(bytes, { prompt: String(request.prompt), seed });
    saved.push(file);
    await display.image(value.image, { file, seed });
  }
}

function finish({ warnings, timings }: GenerateResult, saved: readonly string[], display: Display): void {
  for (const warning of warnings) display.warn(warning);
  display.finish(timings, saved);
}

/** Attaches the adapters of a command line; resolves to their settings for a run, by name. */
async function attachAll(
  sd: Pipeline,
  { lora, control, controlImage, controlStrength }: DrawValues,
  display: Display,
  signal: AbortSignal,
): Promise<Record<string, AdapterSettings>> {
  const settings: Record<string, AdapterSettings> = {};
  const attach = async (file: string, name: string) => {
    const attachment = await sd.attach(file, { name, signal });
    for (const warning of attachment.warnings) display.warn(warning);
  };
  for (const [i, text] of lora.entries()) {
    const [, file, strength = '1'] = /^(.+?)(?::(-?\d*\.?\d+))?$/s.exec(text) ?? ['', text];
    const name = `${path.parse(file).name}-${i}`;
    await attach(file, name);
    settings[name] = Number(strength);
  }
  if (control === undefined) return settings;
  if (controlImage === undefined) throw new InvalidOptionError('controlImage', 'is required with --control.');
  await attach(control, 'control');
  settings.control = { image: await readInput('controlImage', controlImage), strength: controlStrength ?? 1 };
  return settings;
}
