import { byId, make, terms } from './dom.js';
import { type GalleryStore, type Made, openGalleryStore } from './gallery-store.js';
import { type Settings, samplerTitle } from './settings.js';

export interface GalleryActions {
  reuse(settings: Settings): void;
  startFrom(png: Blob): void;
}

/** All saved images. */
export interface Gallery {
  add(made: Omit<Made, 'id'>): Promise<void>;
}

export async function createGallery(actions: GalleryActions): Promise<Gallery> {
  const list = byId<HTMLUListElement>('gallery');
  const note = byId('gallery-note');
  const store = await openGalleryStore().catch((error: Error) => {
    note.textContent = `This browser keeps no pictures: ${error.message}. They are gone when the page is closed.`;
    return inMemory();
  });
  const dialog = createDetail(actions, async (made) => {
    await store.remove(made.id);
    list.querySelector(`[data-id="${made.id}"]`)?.remove();
    showEmpty();
  });

  const showEmpty = () => {
    byId('gallery').parentElement!.classList.toggle('empty', list.childElementCount === 0);
  };
  const card = (made: Made): HTMLLIElement => {
    const image = make('img', { src: URL.createObjectURL(made.png), alt: '', loading: 'lazy' });
    const button = make('button', { type: 'button', title: made.settings.prompt }, image);
    button.append(make('span', {}, made.settings.prompt));
    button.addEventListener('click', () => dialog.open(made, image.src));
    const item = make('li', {}, button);
    item.dataset.id = String(made.id);
    return item;
  };

  list.append(...(await store.all()).map(card));
  showEmpty();

  return {
    async add(made) {
      try {
        list.prepend(card(await store.add(made)));
      } catch (error) {
        note.textContent = `The last picture could not be kept: ${(error as Error).message}. Remove some, or download it.`;
        list.prepend(card({ ...made, id: -made.at }));
      }
      showEmpty();
    },
  };
}

/** The dialog with one image, its settings and its actions. */
function createDetail(actions: GalleryActions, remove: (made: Made) => Promise<void>) {
  const dialog = byId<HTMLDialogElement>('detail');
  const picture = byId<HTMLImageElement>('detail-picture');
  let shown: Made | undefined;

  const whenPressed = (id: string, action: (made: Made) => void) => {
    byId(id).addEventListener('click', () => {
      dialog.close();
      if (shown !== undefined) action(shown);
    });
  };
  whenPressed('detail-reuse', ({ settings }) => actions.reuse(settings));
  whenPressed('detail-start', ({ png }) => actions.startFrom(png));
  whenPressed('detail-remove', remove);
  // A click outside of the dialog has the dialog as its target: it is on the backdrop.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });

  return {
    open(made: Made, address: string) {
      shown = made;
      const { settings } = made;
      picture.src = address;
      picture.alt = settings.prompt;
      byId('detail-prompt').textContent = settings.prompt;
      byId('detail-settings').replaceChildren(...terms(described(made)));
      const download = byId<HTMLAnchorElement>('detail-download');
      download.href = address;
      download.download = fileName(settings);
      dialog.showModal();
    },
  };
}

function described({ settings, from, at }: Made): [string, string][] {
  const { negativePrompt, steps, guidanceScale, scheduler, width, height, seed } = settings;
  return [
    ...(negativePrompt === '' ? [] : [['Keep away from', negativePrompt] as [string, string]]),
    ['Steps', String(steps)],
    ['Guidance', String(guidanceScale)],
    ['Sampler', samplerTitle(scheduler)],
    ['Size', `${width} × ${height}`],
    ['Seed', String(seed)],
    ...(from === 'noise' ? [] : [['Drawn over', from === 'picture' ? 'a picture' : from] as [string, string]]),
    ['Made', new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })],
  ];
}

const fileName = ({ prompt, seed }: Settings) =>
  `${prompt
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '')}-${seed}.png`;

function inMemory(): GalleryStore {
  let last = 0;
  return {
    all: async () => [],
    async add(made) {
      last += 1;
      return { ...made, id: last };
    },
    remove: async () => undefined,
  };
}
