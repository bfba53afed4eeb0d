import { DiffusionProvider, type UseDiffusionOptions, useDiffusion } from '@sd/react';
import { defineSdCanvas, type SdCanvas } from '@sd/react/element';
import { createElement, type ReactNode, StrictMode } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cleanup, renderHook } from 'vitest-browser-react';

const model = new URL('../packages/model-tiny/model/', import.meta.url).href;
const backend = { provider: 'wasm' } as const;
const prompt = 'a red apple';

/** Counts the workers that a page starts, and that have ended. */
function countWorkers() {
  const count = { started: 0, ended: 0 };
  const start = vi.fn(() => {
    count.started += 1;
    const worker = new Worker(new URL('../packages/react/dist/worker.js', import.meta.url), { type: 'module' });
    const { terminate } = worker;
    worker.terminate = () => {
      count.ended += 1;
      terminate.call(worker);
    };
    return worker;
  });
  return { count, start };
}

describe('useDiffusion', () => {
  afterEach(() => cleanup());

  test('loads with its progress, draws with steps and previews, and StrictMode loads once', async () => {
    const { count, start } = countWorkers();
    const wrapper = ({ children }: { children: ReactNode }) =>
      createElement(StrictMode, null, createElement(DiffusionProvider, { worker: start, keepAlive: 0 }, children));
    const seen: string[] = [];
    const { result, unmount } = await renderHook(
      () => {
        const diffusion = useDiffusion({ model, backend });
        const { status, step, preview } = diffusion;
        const shown = `${status} ${step?.step ?? '-'} ${preview === undefined ? '-' : 'preview'}`;
        if (seen.at(-1) !== shown) seen.push(shown);
        return diffusion;
      },
      { wrapper },
    );
    await vi.waitFor(() => expect(result.current.status).toBe('ready'), 60_000);
    expect(result.current.provider).toBe('wasm');
    expect(result.current.download.loaded).toBeGreaterThan(1e7);
    const drawn = await result.current.generate({ prompt, steps: 3, guidanceScale: 1, seed: 7 });
    expect(drawn?.seeds).toEqual([7]);
    await vi.waitFor(() => expect(result.current.status).toBe('ready'));
    expect(result.current.result).toBe(drawn);
    expect(seen[0]).toBe('idle - -');
    expect(seen).toEqual(
      expect.arrayContaining(['drawing 0 -', 'drawing 0 preview', 'drawing 2 preview', 'ready - -']),
    );
    await unmount();
    await vi.waitFor(() => expect(count).toEqual({ started: 1, ended: 1 }), 10_000);
  });

  test('hooks of one model share a worker; a later run ends the earlier one of the same hook', async () => {
    const { count, start } = countWorkers();
    const wrapper = ({ children }: { children: ReactNode }) =>
      createElement(DiffusionProvider, { worker: start, keepAlive: 0 }, children);
    const use = ({ model: of }: UseDiffusionOptions = {}) =>
      [useDiffusion({ model: of, backend, lazy: true }), useDiffusion({ model: of, backend, lazy: true })] as const;
    const { result, rerender, unmount } = await renderHook(use, { wrapper, initialProps: { model } });
    expect(result.current[0].status).toBe('idle');
    expect(count.started).toBe(0);

    const [first, second] = result.current;
    const quick = { prompt, steps: 2, guidanceScale: 1 };
    const [ended, drawn, other] = await Promise.all([
      first.generate({ ...quick, steps: 500 }),
      first.generate(quick),
      second.generate(quick),
    ]);
    expect([ended, drawn?.images.length, other?.images.length]).toEqual([undefined, 1, 1]);
    expect(count.started).toBe(1);
    await vi.waitFor(() => expect(result.current[0].status).toBe('ready'));
    expect(result.current[0].error).toBeUndefined();

    const aborted = result.current[1].generate({ ...quick, steps: 500 });
    await vi.waitFor(() => expect(result.current[1].step?.step).toBeGreaterThan(0), 20_000);
    result.current[1].abort();
    expect(await aborted).toBeUndefined();
    await vi.waitFor(() => expect(result.current[1]).toMatchObject({ status: 'ready', error: undefined }));

    expect(await result.current[0].generate({ ...quick, steps: -1 })).toBeUndefined();
    await vi.waitFor(() => expect(result.current[0].error).toMatchObject({ code: 'invalid-option' }));
    expect(result.current[1].error).toBeUndefined();

    await rerender({ model: `${model}nowhere/` });
    expect(await result.current[0].generate(quick)).toBeUndefined();
    await vi.waitFor(() => expect(result.current[1]).toMatchObject({ status: 'failed', error: { code: 'not-found' } }));
    await unmount();
    await vi.waitFor(() => expect(count.ended).toBe(count.started), 10_000);
  });
});

describe('<sd-canvas>', () => {
  const { count, start } = countWorkers();
  defineSdCanvas({ worker: start, keepAlive: 0 });
  const next = (element: Element, type: string) =>
    new Promise<Event>((resolve) => element.addEventListener(type, resolve, { once: true }));

  test('draws on its canvas when it appears, tells of it by events and to screen readers', async () => {
    document.body.innerHTML = `<sd-canvas model="${model}" prompt="${prompt}" steps="3" seed="7" guidance-scale="1" auto></sd-canvas>`;
    const element = document.querySelector<SdCanvas>('sd-canvas')!;
    const events: string[] = [];
    for (const type of ['progress', 'ready', 'step', 'image', 'error', 'abort']) {
      element.addEventListener(type, () => events.at(-1) !== type && events.push(type));
    }
    await next(element, 'image');
    expect(events).toEqual(['progress', 'ready', 'step', 'image']);
    const canvas = element.shadowRoot!.querySelector('canvas')!;
    expect([canvas.width, canvas.height, canvas.ariaLabel]).toEqual([128, 128, prompt]);
    expect(canvas.getAttribute('aria-busy')).toBe('false');
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, 128, 128);
    expect([...data]).toEqual([...element.image!.data]);
    expect(element.shadowRoot!.querySelector('[role=status]')!.textContent).toBe('The image is finished.');

    element.setAttribute('seed', '8');
    await next(element, 'image');
    const redrawn = await element.generate({ seed: 7 });
    expect([...redrawn!.images[0].data]).toEqual([...data]);

    const drawing = element.generate({ steps: 500 });
    await next(element, 'step');
    element.abort();
    expect(await drawing).toBeUndefined();
    expect(events.at(-1)).toBe('abort');

    element.setAttribute('steps', 'many');
    const failed = next(element, 'error');
    expect(await element.generate()).toBeUndefined();
    expect((await failed) as ErrorEvent).toMatchObject({ message: expect.stringContaining('steps') });

    element.remove();
    await vi.waitFor(() => expect(count).toEqual({ started: 1, ended: 1 }), 10_000);
  });
});
