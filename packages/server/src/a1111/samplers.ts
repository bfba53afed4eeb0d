import { schedulerNamed, schedulerNames } from '@sd/pipeline';
import { HttpError } from '../http/http-error.js';

interface Sampler {
  /** A1111's name, and the short name here. */
  readonly name: string;
  readonly scheduler: string;
  /** Whether A1111 spaces its sigmas as Karras does if no schedule is named. */
  readonly isKarras?: boolean;
}

/** A1111's modules/sd_samplers_kdiffusion.py and sd_samplers_timesteps.py, as far as there are such samplers here. */
const samplers: readonly Sampler[] = [
  { name: 'DPM++ 2M', scheduler: 'dpmpp-2m', isKarras: true },
  { name: 'DPM++ SDE', scheduler: 'dpmpp-sde', isKarras: true },
  { name: 'DPM++ 2M SDE', scheduler: 'dpmpp-2m-sde-brownian' },
  { name: 'DPM++ 2S a', scheduler: 'dpmpp-2s-ancestral', isKarras: true },
  { name: 'DPM++ 3M SDE', scheduler: 'dpmpp-3m-sde-brownian' },
  { name: 'Euler a', scheduler: 'euler-ancestral' },
  { name: 'Euler', scheduler: 'euler' },
  { name: 'LMS', scheduler: 'lms' },
  { name: 'Heun', scheduler: 'heun' },
  { name: 'DPM2', scheduler: 'dpm2', isKarras: true },
  { name: 'DPM2 a', scheduler: 'dpm2-ancestral', isKarras: true },
  { name: 'Restart', scheduler: 'restart', isKarras: true },
  { name: 'DDIM', scheduler: 'ddim' },
  { name: 'PLMS', scheduler: 'pndm' },
  { name: 'UniPC', scheduler: 'unipc' },
  { name: 'LCM', scheduler: 'lcm' },
];

/** What `/samplers` lists. */
export const samplerList = samplers.map(({ name, scheduler, isKarras }) => ({
  name,
  aliases: [scheduler, `k_${name.toLowerCase().replaceAll('++', 'pp').replaceAll(' ', '_')}`],
  options: isKarras === true ? { scheduler: 'karras' } : {},
}));

/** What `/schedulers` lists. */
export const schedulerList = [
  { name: 'automatic', label: 'Automatic', aliases: null, default_rho: -1, need_inner_model: false },
  { name: 'karras', label: 'Karras', aliases: null, default_rho: 7, need_inner_model: false },
];

/**
 * The short name for A1111's sampler and schedule; the model's own scheduler without a sampler. Throws an HttpError with the
 * status 404, as A1111 does, for one that there is not.
 */
export function schedulerOf(sampler: string | undefined, schedule = 'automatic'): string | undefined {
  if (sampler === undefined || sampler === '') return undefined;
  const [, base, karras] = /^(.+?)( karras)?$/is.exec(sampler) ?? ['', sampler];
  const known = samplers.find(({ name }) => name.toLowerCase() === base.toLowerCase());
  const scheduler = known?.scheduler ?? schedulerNamed(base);
  if (!schedulerNames.includes(scheduler))
    throw notFound('Sampler', sampler, samplers.map(({ name }) => name).join(', '));
  const requested = karras === undefined ? schedule.toLowerCase() : 'karras';
  if (requested !== 'automatic' && requested !== 'karras') throw notFound('Scheduler', schedule, 'Automatic, Karras');
  const isKarras = requested === 'karras' || known?.isKarras === true;
  const respaced = `${scheduler}-karras`;
  return isKarras && schedulerNames.includes(respaced) ? respaced : scheduler;
}

function notFound(what: string, name: string, known: string): HttpError {
  const message = `${what} ${JSON.stringify(name)} not found. There are ${known}.`;
  return new HttpError({ status: 404, code: 'not_found', message });
}
