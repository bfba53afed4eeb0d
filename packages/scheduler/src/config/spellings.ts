import { schedulerNames } from './names.js';

/**
 * The short name of a scheduler by any spelling that A1111, ComfyUI and stable-diffusion.cpp have for it: `DPM++ 2M Karras`,
 * `dpmpp_2m`, `euler_a`, `dpm++2m`. Other names, such as diffusers' classes, are returned as they are.
 */
export function schedulerNamed(name: string): string {
  const plain = name
    .trim()
    .toLowerCase()
    .replaceAll('++', 'pp')
    .replace(/[\s_]+/g, '-')
    .replace(/^(k|sample)-/, '')
    .replace(/^dpmpp-?(?=\d|sde)/, 'dpmpp-')
    .replace(/(?<=\d[ms]?)-?a(?=-|$)/, '-ancestral')
    .replace(/^(euler)-a(?=-|$)/, '$1-ancestral');
  return schedulerNames.includes(plain) ? plain : name;
}
