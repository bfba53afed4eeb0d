import { byId, make } from './dom.js';
import { type Pixels, paint } from './pixels.js';

/** The previews of a run's steps. A click shows one large. */
export interface Filmstrip {
  clear(): void;
  add(picture: Pixels, title: string): void;
}

export function createFilmstrip(onPick: (picture: Pixels, title: string) => void): Filmstrip {
  const list = byId<HTMLOListElement>('filmstrip');
  const holder = byId('filmstrip-holder');

  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const item = (event.target as HTMLElement).closest('li');
    if (step === undefined || item === null) return;
    const next = step === 1 ? item.nextElementSibling : item.previousElementSibling;
    next?.querySelector('button')?.focus();
    event.preventDefault();
  });

  return {
    clear() {
      list.replaceChildren();
      holder.hidden = true;
    },
    add(picture, title) {
      const canvas = make('canvas', { width: picture.width, height: picture.height, ariaHidden: 'true' });
      paint(canvas, picture);
      const button = make(
        'button',
        { type: 'button', title, ariaPressed: 'false' },
        canvas,
        make('span', { className: 'visually-hidden' }, title),
      );
      const pick = () => {
        for (const other of list.querySelectorAll('button')) other.ariaPressed = String(other === button);
        onPick(picture, title);
      };
      button.addEventListener('click', pick);
      list.append(make('li', {}, button));
      holder.hidden = false;
      list.scrollLeft = list.scrollWidth;
    },
  };
}
