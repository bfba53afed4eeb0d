import type { Settings } from './settings.js';

/** A saved image. */
export interface Made {
  readonly id: number;
  /** Creation time, in milliseconds since 1970. */
  readonly at: number;
  readonly settings: Settings;
  /** How it was made, besides its settings. */
  readonly from: 'noise' | 'picture' | 'part of a picture';
  /** The PNG file, which contains its settings. */
  readonly png: Blob;
}

/** Images in the browser's database, which persists. */
export interface GalleryStore {
  /** Newest first. */
  all(): Promise<Made[]>;
  add(made: Omit<Made, 'id'>): Promise<Made>;
  remove(id: number): Promise<void>;
}

const pictures = 'pictures';

/** Rejects if the browser grants no storage, as in some private windows. */
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
