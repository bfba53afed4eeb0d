import type { SdImage } from '@sd/image';
import type { DrawingState } from '../shared/drawing.js';

const html = `
<style>
  :host { display: inline-grid; position: relative; }
  :host([hidden]) { display: none; }
  canvas, progress { grid-area: 1 / 1; }
  canvas { width: 100%; height: auto; image-rendering: auto; }
  progress { align-self: end; width: 100%; }
  [role='status'] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
</style>
<canvas part="canvas" role="img"></canvas>
<progress part="progress" hidden></progress>
<span role="status"></span>`;

/** What the element shows: a canvas, a bar while something goes on, and words for screen readers. */
export interface View {
  readonly canvas: HTMLCanvasElement;
  show(state: DrawingState, label: string): void;
}

export function createView(root: ShadowRoot): View {
  root.innerHTML = html;
  const canvas = root.querySelector('canvas')!;
  const bar = root.querySelector('progress')!;
  const words = root.querySelector('span')!;
  let shown: SdImage | undefined;

  return {
    canvas,
    show(state, label) {
      const image = state.preview ?? state.result?.images[0];
      if (image !== undefined && image !== shown) paint(canvas, image);
      shown = image;
      canvas.setAttribute('aria-label', label);
      canvas.setAttribute('aria-busy', String(state.status === 'drawing' || state.status === 'loading'));
      showProgress(bar, state);
      const text = wordsFor(state);
      // Set only when it changes, since each change is read out.
      if (words.textContent !== text) words.textContent = text;
    },
  };
}

/** A preview is stretched to the image's size by CSS alone. */
function paint(canvas: HTMLCanvasElement, { data, width, height }: SdImage): void {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0);
}

function showProgress(bar: HTMLProgressElement, { status, step, download }: DrawingState): void {
  bar.hidden = status !== 'loading' && status !== 'drawing';
  bar.ariaLabel = status === 'loading' ? 'Loading the model' : 'Drawing';
  if (status === 'drawing' && step !== undefined) [bar.max, bar.value] = [step.steps, step.step + 1];
  else if (status === 'loading' && download.size > 0) [bar.max, bar.value] = [download.size, download.loaded];
  else bar.removeAttribute('value');
}

function wordsFor({ status, error, result }: DrawingState): string {
  if (status === 'loading') return 'Loading the model.';
  if (status === 'drawing') return 'Drawing.';
  if (error !== undefined) return `Failed: ${error.message}`;
  return result === undefined ? '' : 'The image is finished.';
}
