import { loadWorkerPipeline } from '@sd/pipeline/worker';

const form = document.querySelector('form');
const status = document.querySelector('output');
const canvas = document.querySelector('canvas');
if (form === null || status === null || canvas === null) throw new Error('The page lacks an element.');

const show = (/** @type {{ data: Uint8ClampedArray<ArrayBuffer>, width: number, height: number }} */ image) => {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext('2d')?.putImageData(new ImageData(image.data, image.width, image.height), 0, 0);
};

window.addEventListener('message', async ({ data, ports: [port] }) => {
  if (data !== 'connect') return;
  const sd = await loadWorkerPipeline(port);
  status.value = 'ready';
  /** @type {AbortController | undefined} */
  let running;
  form.addEventListener('reset', () => running?.abort());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    running?.abort();
    running = new AbortController();
    try {
      const { images, seeds } = await sd.generate({
        prompt: String(new FormData(form).get('prompt')),
        signal: running.signal,
        async onStep(step) {
          status.value = `Step ${step.step + 1} of ${step.steps}`;
          show(await step.preview());
        },
      });
      show(images[0]);
      status.value = `Finished, seed ${seeds[0]}`;
    } catch (error) {
      status.value = /** @type {Error} */ (error).message;
    }
  });
});
