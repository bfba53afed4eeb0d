import { byId } from './dom.js';
import { cover, type Pixels, paint } from './pixels.js';

/** The initial image: chosen, dropped, pasted, or from the gallery. */
export interface StartImage {
  readonly given: boolean;
  /** Sets an image file. Rejects if the browser cannot read it. */
  take(file: Blob): Promise<void>;
  remove(): void;
  /** The image, scaled and cropped to a size. */
  pixels(width: number, height: number): Pixels | undefined;
}

export function createStartImage(onChange: () => void, onProblem: (text: string) => void): StartImage {
  const input = byId<HTMLInputElement>('start-file');
  const box = byId('start');
  const thumbnail = byId<HTMLCanvasElement>('start-picture');
  let image: ImageBitmap | undefined;

  function changed(): void {
    box.querySelector<HTMLElement>('.start-empty')!.hidden = image !== undefined;
    box.querySelector<HTMLElement>('.start-given')!.hidden = image === undefined;
    if (image !== undefined) paint(thumbnail, cover(image, thumbnail.width, thumbnail.height));
    onChange();
  }

  async function take(file: Blob): Promise<void> {
    image = await createImageBitmap(file);
    changed();
  }

  const takeOrTell = (file: Blob | undefined) => {
    if (file === undefined) return;
    take(file).catch(() => onProblem('That file is no image that this browser can read. PNG, JPEG and WebP will do.'));
  };

  input.addEventListener('change', () => {
    takeOrTell(input.files?.[0]);
    input.value = '';
  });
  const remove = () => {
    image?.close();
    image = undefined;
    changed();
    input.focus();
  };
  byId('start-remove').addEventListener('click', remove);

  // Otherwise a file dropped outside of the box would replace the page.
  const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) document.body.classList.remove('dropping');
  });
  addEventListener('drop', (event) => {
    document.body.classList.remove('dropping');
    if (!hasFile(event)) return;
    event.preventDefault();
    takeOrTell(event.dataTransfer?.files[0]);
  });
  addEventListener('paste', (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'));
    takeOrTell(file);
  });

  return {
    get given() {
      return image !== undefined;
    },
    take,
    remove,
    pixels: (width, height) => image && cover(image, width, height),
  };
}
