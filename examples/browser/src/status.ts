import { byId } from './dom.js';

/** What goes on, in words and as a bar. */
export interface Status {
  /** Says it, aloud to those who listen. */
  say(text: string): void;
  /** How far it is, 0 to 1; undefined where nobody knows. `figures` are not read aloud, since they change all the time. */
  progress(part: number | undefined, figures?: string): void;
  /** No bar. */
  rest(figures?: string): void;
}

export function createStatus(): Status {
  const text = byId('status');
  const figures = byId('figures');
  const bar = byId<HTMLProgressElement>('progress');
  return {
    say(words) {
      if (text.textContent !== words) text.textContent = words;
    },
    progress(part, numbers = '') {
      bar.classList.remove('resting');
      figures.textContent = numbers;
      if (part === undefined) bar.removeAttribute('value');
      else bar.value = part;
    },
    rest(numbers = '') {
      bar.classList.add('resting');
      bar.value = 0;
      figures.textContent = numbers;
    },
  };
}

export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

export const seconds = (milliseconds: number) =>
  milliseconds < 995 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
