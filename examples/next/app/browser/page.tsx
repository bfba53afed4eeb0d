'use client';

import { useDiffusion } from '@sd/react';
import Link from 'next/link';
import { type FormEvent, useEffect, useRef } from 'react';

/** Draws in a worker of this page. */
export default function BrowserPage() {
  const { status, download, step, preview, result, error, generate, abort } = useDiffusion({ model: '/model/' });
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = preview ?? result?.images[0];

  useEffect(() => {
    if (image === undefined || canvas.current === null) return;
    canvas.current.width = image.width;
    canvas.current.height = image.height;
    canvas.current.getContext('2d')?.putImageData(new ImageData(image.data, image.width, image.height), 0, 0);
  }, [image]);

  function draw(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    generate({ prompt: String(new FormData(event.currentTarget).get('prompt')), steps: 20 });
  }

  return (
    <>
      <h1>Drawn in the browser</h1>
      <form onSubmit={draw}>
        <input name="prompt" aria-label="Prompt" defaultValue="a blue car on a road" />
        <button type="submit" disabled={status === 'loading'}>
          Draw
        </button>
        <button type="button" onClick={abort} disabled={status !== 'drawing'}>
          Stop
        </button>
      </form>
      {status === 'loading' && <progress max={download.size} value={download.loaded} aria-label="Loading the model" />}
      <p role="status">
        {error?.message ??
          (step ? `Step ${step.step + 1} of ${step.steps}` : result ? `Finished, seed ${result.seeds[0]}` : status)}
      </p>
      <canvas ref={canvas} role="img" aria-label="What the model draws" style={{ width: 256 }} />
      <p>
        <Link href="/">Draw on the server instead</Link>
      </p>
    </>
  );
}
