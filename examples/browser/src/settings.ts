import { byId, make } from './dom.js';

/** The user's settings, saved with each image so that it can be reproduced. */
export interface Settings {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly steps: number;
  readonly guidanceScale: number;
  /** A key of `samplers`; empty for the model's default. */
  readonly scheduler: string;
  readonly width: number;
  readonly height: number;
  /** Undefined for a random one each time. */
  readonly seed: number | undefined;
}

/** Scheduler names of `@sd/pipeline`, and their labels. */
const samplers: readonly (readonly [name: string, title: string])[] = [
  ['', 'DDIM, the model’s own'],
  ['dpmpp-2m-karras', 'DPM++ 2M Karras'],
  ['dpmpp-2m-sde-karras', 'DPM++ 2M SDE Karras'],
  ['euler', 'Euler'],
  ['euler-ancestral', 'Euler a'],
  ['heun', 'Heun'],
  ['lms', 'LMS'],
  ['unipc', 'UniPC'],
  ['deis', 'DEIS'],
  ['ddpm', 'DDPM'],
  ['res-multistep', 'RES multistep'],
];

/** The first is the model's training size. */
const sizes: readonly (readonly [number, number])[] = [
  [128, 128],
  [128, 192],
  [192, 128],
  [192, 192],
];

const ideas = [
  'two yellow fish under the sea',
  'a purple dragon, sci-fi style',
  'an owl at night, pencil sketch',
  'a teal robot in the desert',
  'a red apple, watercolor painting',
];

export interface SettingsForm {
  read(): Settings;
  show(settings: Settings): void;
  /** Called with the width and height when they change. */
  onSize(callback: (width: number, height: number) => void): void;
}

export function createSettingsForm(): SettingsForm {
  const prompt = byId<HTMLTextAreaElement>('prompt');
  const negativePrompt = byId<HTMLInputElement>('negativePrompt');
  const steps = byId<HTMLInputElement>('steps');
  const guidanceScale = byId<HTMLInputElement>('guidanceScale');
  const scheduler = byId<HTMLSelectElement>('scheduler');
  const size = byId<HTMLSelectElement>('size');
  const seed = byId<HTMLInputElement>('seed');

  scheduler.append(...samplers.map(([value, title]) => make('option', { value }, title)));
  size.append(...sizes.map(([w, h]) => make('option', { value: `${w}x${h}` }, `${w} × ${h}`)));
  byId('ideas').append(
    ...ideas.map((idea) => {
      const button = make('button', { type: 'button' }, idea);
      button.addEventListener('click', () => {
        prompt.value = idea;
        prompt.focus();
      });
      return make('li', {}, button);
    }),
  );

  return {
    read() {
      const [width, height] = size.value.split('x').map(Number) as [number, number];
      return {
        prompt: prompt.value.trim(),
        negativePrompt: negativePrompt.value.trim(),
        steps: Number(steps.value),
        guidanceScale: Number(guidanceScale.value),
        scheduler: scheduler.value,
        width,
        height,
        seed: seed.value.trim() === '' ? undefined : Number(seed.value),
      };
    },
    show(settings) {
      prompt.value = settings.prompt;
      negativePrompt.value = settings.negativePrompt;
      steps.value = String(settings.steps);
      guidanceScale.value = String(settings.guidanceScale);
      scheduler.value = settings.scheduler;
      size.value = `${settings.width}x${settings.height}`;
      seed.value = settings.seed === undefined ? '' : String(settings.seed);
      for (const input of [steps, guidanceScale, size]) input.dispatchEvent(new Event('input', { bubbles: true }));
    },
    onSize(callback) {
      size.addEventListener('input', () => {
        const { width, height } = this.read();
        callback(width, height);
      });
    },
  };
}

/** A sampler's label. */
export const samplerTitle = (name: string) => samplers.find(([known]) => known === name)?.[1] ?? name;

/** Shows the value of every slider next to its label. */
export function showSliderValues(): void {
  for (const output of document.querySelectorAll('output')) {
    const slider = byId<HTMLInputElement>(output.htmlFor.value);
    const show = () => {
      output.value = slider.value;
    };
    slider.addEventListener('input', show);
    show();
  }
}
