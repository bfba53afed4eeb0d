'use client';

import { lines } from '@sd/example-shared/lines';
import Link from 'next/link';
import { type FormEvent, useRef, useState } from 'react';

/** Draws on the server, and shows the previews that it streams. */
export default function ServerPage() {
  const [image, setImage] = useState<string>();
  const [status, setStatus] = useState('');
  const running = useRef<AbortController>(undefined);

  async function draw(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const prompt = new FormData(event.currentTarget).get('prompt');
    running.current?.abort();
    const own = new AbortController();
    running.current = own;
    try {
      const response = await fetch('/api/draw', {
        method: 'POST',
        body: JSON.stringify({ prompt, steps: 20 }),
        signal: own.signal,
      });
      for await (const line of lines(response)) {
        setImage(line.image ?? line.preview);
        setStatus(line.error ?? (line.image ? `Finished, seed ${line.seed}` : `Step ${line.step} of ${line.steps}`));
      }
    } catch (error) {
      if (!own.signal.aborted) setStatus(String(error));
    }
  }

  return (
    <>
      <h1>Drawn on the server</h1>
      <form onSubmit={draw}>
        <input name="prompt" aria-label="Prompt" defaultValue="a blue car on a road" />
        <button type="submit">Draw</button>
        <button type="button" onClick={() => running.current?.abort()}>
          Stop
        </button>
      </form>
      <p role="status">{status}</p>
      {image && <img src={image} alt="What the model draws" width={256} height={256} />}
      <p>
        <Link href="/browser">Draw in the browser instead</Link>
      </p>
    </>
  );
}
