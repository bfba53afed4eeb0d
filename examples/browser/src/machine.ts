import { byId, make, terms } from './dom.js';
import type { Engine } from './engine.js';
import { isKeptOffline } from './offline.js';
import { megabytes, seconds } from './status.js';

/** Warnings about this machine and browser, rather than the model. */
const told = ['no-webgpu', 'one-thread', 'threads-fixed', 'not-cached'];

/** Shows which provider runs, and what it would take to run faster. */
export function showMachine({ sd, loading }: Engine): void {
  const gpu = sd.provider === 'webgpu';
  const cores = navigator.hardwareConcurrency;
  const threads = crossOriginIsolated ? Math.min(cores, 8) : 1;
  byId('where').textContent = gpu
    ? `WebGPU${sd.float16 ? ', half precision' : ''}`
    : `WebAssembly, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  byId('facts').replaceChildren(
    ...terms([
      ['Provider', gpu ? 'WebGPU' : 'WebAssembly, on the processor'],
      ['Precision', sd.float16 ? 'half (float16)' : 'single (float32)'],
      ...(gpu ? [] : [['Threads', `${threads} of ${cores} cores`] as const]),
      ['Cross-origin isolated', crossOriginIsolated ? 'yes' : 'no'],
      ['Model', `${megabytes(__MODEL_BYTES__)}, ready in ${seconds(loading)}`],
      ['Without a network', isKeptOffline() ? 'works: page and model are kept' : 'not yet'],
    ]),
  );
  const lacks = sd.warnings.filter(({ code }) => told.includes(code)).map(({ message }) => make('li', {}, message));
  if (!crossOriginIsolated && isKeptOffline()) lacks.push(reloadForThreads());
  byId('missing').replaceChildren(...lacks);
}

/** From the next load on, the service worker adds headers that the server does not send. */
function reloadForThreads(): HTMLLIElement {
  const button = make('button', { type: 'button', className: 'quiet' }, 'Reload');
  button.addEventListener('click', () => location.reload());
  return make(
    'li',
    {},
    'The page is kept now, with the headers that threads need: load it again to use them. ',
    button,
  );
}

/** The provider named in the page's URL, where the user's choice is kept. */
export function chosenProvider(): 'webgpu' | 'wasm' | undefined {
  const select = byId<HTMLSelectElement>('provider');
  const asked = new URLSearchParams(location.search).get('provider');
  const provider = asked === 'webgpu' || asked === 'wasm' ? asked : undefined;
  select.value = provider ?? '';
  select.addEventListener('change', () => {
    const address = new URL(location.href);
    if (select.value === '') address.searchParams.delete('provider');
    else address.searchParams.set('provider', select.value);
    location.assign(address);
  });
  return provider;
}
