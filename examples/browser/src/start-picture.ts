import { byId } from './dom.js';
import { cover, type Pixels, paint } from './pixels.js';

/** The picture to start from: chosen, dropped, pasted, or one of the gallery's. */
export interface StartPicture {
  readonly given: boolean;
  /** Takes a picture file. Rejects where the browser cannot read it. */
  take(file: Blob): Promise<void>;
  remove(): void;
  /** Cut and scaled to a size. */
  pixels(width: number, height: number): Pixels | undefined;
}

export function createStartPicture(onChange: () => void, onProblem: (text: string) => void): StartPicture {
  const input = byId<HTMLInputElement>('start-file');
  const box = byId('start');
  const thumbnail = byId<HTMLCanvasElement>('start-picture');
  let picture: ImageBitmap | undefined;

  function changed(): void {
    box.querySelector<HTMLElement>('.start-empty')!.hidden = picture !== undefined;
    box.querySelector<HTMLElement>('.start-given')!.hidden = picture === undefined;
    if (picture !== undefined) paint(thumbnail, cover(picture, thumbnail.width, thumbnail.height));
    onChange();
  }

  async function take(file: Blob): Promise<void> {
    picture = await createImageBitmap(file);
    changed();
  }

  const takeOrTell = (file: Blob | undefined) => {
    if (file === undefined) return;
    take(file).catch(() =>
      onProblem('That file is no picture that this browser can read. PNG, JPEG and WebP will do.'),
    );
  };

  input.addEventListener('change', () => {
    takeOrTell(input.files?.[0]);
    input.value = '';
  });
  const remove = () => {
    picture?.close();
    picture = undefined;
    changed();
    input.focus();
  };
  byId('start-remove').addEventListener('click', remove);

  // A file that misses the box would else replace the page.
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
      return picture !== undefined;
    },
    take,
    remove,
    pixels: (width, height) => picture && cover(picture, width, height),
  };
}
