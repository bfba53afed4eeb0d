import type { Settings } from './settings.js';

/** A picture that was made. */
export interface Made {
  readonly id: number;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  readonly settings: Settings;
  /** How it came about, beside its settings. */
  readonly from: 'noise' | 'picture' | 'part of a picture';
  /** The file, with its parameters in it. */
  readonly png: Blob;
}

/** Pictures in this browser's database, which outlives the page. */
export interface GalleryStore {
  /** The newest first. */
  all(): Promise<Made[]>;
  add(made: Omit<Made, 'id'>): Promise<Made>;
  remove(id: number): Promise<void>;
}

const pictures = 'pictures';

/** Rejects where the browser lends no room, as in some private windows. */
export async function openGalleryStore(): Promise<GalleryStore> {
  const opening = indexedDB.open('sd-gallery', 1);
  opening.addEventListener('upgradeneeded', () => {
    opening.result.createObjectStore(pictures, { keyPath: 'id', autoIncrement: true });
  });
  const database = await answer(opening);
  const store = (mode: IDBTransactionMode) => database.transaction(pictures, mode).objectStore(pictures);
  return {
    all: async () => (await answer<Made[]>(store('readonly').getAll())).reverse(),
    async add(made) {
      const id = await answer(store('readwrite').add(made));
      return { ...made, id: Number(id) };
    },
    remove: (id) => answer(store('readwrite').delete(id)),
  };
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });
}
