import { byId } from './dom.js';
import { type Pixels, paint } from './pixels.js';

/** The large image: noise, previews and the result. */
export interface Easel {
  readonly width: number;
  readonly height: number;
  resize(width: number, height: number): void;
  show(picture: Pixels, description: string): void;
  /** Gray noise, as before the first step. */
  showNoise(): void;
}

export function createEasel(): Easel {
  const canvas = byId<HTMLCanvasElement>('picture');
  const frame = byId('frame');
  let shown = false;

  function noise(): void {
    const [width, height] = [canvas.width / 4, canvas.height / 4];
    const data = new Uint8ClampedArray(width * height * 4);
    for (let i = 0; i < data.length; i += 4) {
      const gray = 128 + (Math.random() + Math.random() + Math.random() - 1.5) * 90;
      data.set([gray + (Math.random() - 0.5) * 70, gray, gray + (Math.random() - 0.5) * 70, 255], i);
    }
    paint(canvas, { width, height, data });
  }

  return {
    get width() {
      return canvas.width;
    },
    get height() {
      return canvas.height;
    },
    resize(width, height) {
      if (canvas.width === width && canvas.height === height) return;
      canvas.width = width;
      canvas.height = height;
      frame.style.setProperty('--ratio', String(width / height));
      if (!shown) noise();
    },
    show(picture, description) {
      shown = true;
      paint(canvas, picture);
      canvas.ariaLabel = description;
    },
    showNoise() {
      noise();
      canvas.ariaLabel = 'Noise';
    },
  };
}
