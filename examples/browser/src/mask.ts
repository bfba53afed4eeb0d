import { byId, make } from './dom.js';
import type { Pixels } from './pixels.js';

/** The mask for inpainting, painted over the image with a pointer or by keyboard. */
export interface Mask {
  readonly active: boolean;
  /** Shows or hides the mask over the image. */
  activate(active: boolean): void;
  /** Sets its size, in the image's pixels, and clears it. */
  resize(width: number, height: number): void;
  /** White where painted, black elsewhere; undefined if nothing is painted. */
  pixels(): Pixels | undefined;
}

/** The paint's colour, which is rare in images. */
const colour = '#e4007c';

/** Distance that an arrow key moves the brush, in pixels of the image. */
const keyStep = 4;

export function createMask(): Mask {
  const canvas = byId<HTMLCanvasElement>('mask');
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const size = byId<HTMLInputElement>('brush-size');
  const erasing = byId<HTMLInputElement>('erasing');
  const ring = make('div', { className: 'brush-ring', hidden: true, ariaHidden: 'true' });
  canvas.after(ring);
  let at = { x: 64, y: 64 };
  let drawing = false;

  /** The position of an event, in the image's pixels. */
  function placeOf(event: PointerEvent) {
    const box = canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * canvas.width,
      y: ((event.clientY - box.top) / box.height) * canvas.height,
    };
  }

  function moveRing(place: { readonly x: number; readonly y: number }): void {
    ring.hidden = canvas.hidden;
    ring.style.left = `${(place.x / canvas.width) * 100}%`;
    ring.style.top = `${(place.y / canvas.height) * 100}%`;
    ring.style.width = `${(Number(size.value) / canvas.width) * 100}%`;
  }

  function strokeTo(place: { readonly x: number; readonly y: number }): void {
    context.globalCompositeOperation = erasing.checked ? 'destination-out' : 'source-over';
    context.strokeStyle = colour;
    context.lineWidth = Number(size.value);
    context.lineCap = 'round';
    context.beginPath();
    context.moveTo(at.x, at.y);
    context.lineTo(place.x, place.y);
    context.stroke();
    at = place;
  }

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drawing = true;
    at = placeOf(event);
    strokeTo(at);
  });
  canvas.addEventListener('pointermove', (event) => {
    moveRing(placeOf(event));
    if (!drawing) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) strokeTo(placeOf(part));
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(end, () => {
      drawing = false;
    });
  }
  canvas.addEventListener('pointerleave', () => {
    ring.hidden = true;
  });
  canvas.addEventListener('focus', () => moveRing(at));
  canvas.addEventListener('blur', () => {
    ring.hidden = true;
  });
  canvas.addEventListener('keydown', (event) => {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-keyStep, 0],
      ArrowRight: [keyStep, 0],
      ArrowUp: [0, -keyStep],
      ArrowDown: [0, keyStep],
    };
    const move = moves[event.key];
    if (move !== undefined) {
      const next = {
        x: Math.min(canvas.width, Math.max(0, at.x + move[0])),
        y: Math.min(canvas.height, Math.max(0, at.y + move[1])),
      };
      if (event.shiftKey) strokeTo(next);
      at = next;
    } else if (event.key === ' ') strokeTo(at);
    else if (event.key === 'e') erasing.checked = !erasing.checked;
    else return;
    event.preventDefault();
    moveRing(at);
  });

  const clear = () => context.clearRect(0, 0, canvas.width, canvas.height);
  byId('mask-clear').addEventListener('click', clear);

  return {
    get active() {
      return !canvas.hidden;
    },
    activate(active) {
      canvas.hidden = !active;
      ring.hidden = true;
    },
    resize(width, height) {
      canvas.width = width;
      canvas.height = height;
      at = { x: width / 2, y: height / 2 };
    },
    pixels() {
      const { width, height, data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let painted = false;
      for (let i = 0; i < data.length; i += 4) {
        const on = data[i + 3]! >= 128;
        painted ||= on;
        data.fill(on ? 255 : 0, i, i + 3);
        data[i + 3] = 255;
      }
      return painted ? { width, height, data } : undefined;
    },
  };
}
