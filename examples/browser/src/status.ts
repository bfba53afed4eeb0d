import { byId } from './dom.js';

/** The current status, as text and as a progress bar. */
export interface Status {
  /** Sets the text, which screen readers announce. */
  say(text: string): void;
  /** Sets the progress, from 0 to 1, or undefined if unknown. `figures` are not announced, since they change constantly. */
  progress(fraction: number | undefined, figures?: string): void;
  /** Hides the bar. */
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
    progress(fraction, numbers = '') {
      bar.classList.remove('resting');
      figures.textContent = numbers;
      if (fraction === undefined) bar.removeAttribute('value');
      else bar.value = fraction;
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
