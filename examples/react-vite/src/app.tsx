import { useDiffusion } from '@sd/react';
import { useState } from 'react';
import { Picture } from './picture.js';

export function App() {
  const [prompt, setPrompt] = useState('a blue car on a road');
  const [steps, setSteps] = useState(20);
  const { status, download, step, preview, result, error, generate, abort } = useDiffusion({ model: '/' });
  const words = step ? `Step ${step.step + 1} of ${step.steps}` : result ? `Finished, seed ${result.seeds[0]}` : status;
  return (
    <main>
      <input aria-label="Prompt" value={prompt} onChange={(event) => setPrompt(event.target.value)} />
      <input
        aria-label="Steps"
        type="number"
        min={1}
        value={steps}
        onChange={(event) => setSteps(Number(event.target.value))}
      />
      <button type="button" onClick={() => generate({ prompt, steps })} disabled={status === 'loading'}>
        Draw
      </button>
      <button type="button" onClick={abort} disabled={status !== 'drawing'}>
        Stop
      </button>
      {status === 'loading' && <progress max={download.size} value={download.loaded} aria-label="Loading the model" />}
      <p role="status">{error?.message ?? words}</p>
      <Picture image={preview ?? result?.images[0]} label={prompt} />
    </main>
  );
}
