import { byId, terms } from './dom.js';
import { generateImage, type Start } from './drawing.js';
import { createEasel } from './easel.js';
import { type Engine, startEngine } from './engine.js';
import { createFilmstrip } from './filmstrip.js';
import { createGallery } from './gallery.js';
import { chosenProvider, showMachine } from './machine.js';
import { createMask } from './mask.js';
import { keepOffline } from './offline.js';
import { createSettingsForm, type Settings, showSliderValues } from './settings.js';
import { createStartImage } from './start-image.js';
import { createStatus, megabytes, seconds } from './status.js';

const form = byId<HTMLFormElement>('request');
const draw = byId<HTMLButtonElement>('draw');
const cancel = byId<HTMLButtonElement>('cancel');
const problem = byId('problem');
const masking = byId<HTMLInputElement>('masking');
const seedInput = byId<HTMLInputElement>('seed');
const seedLast = byId<HTMLButtonElement>('seed-last');

const status = createStatus();
const settings = createSettingsForm();
const easel = createEasel();
const filmstrip = createFilmstrip((picture, title) => easel.show(picture, title));
const mask = createMask();
const start = createStartImage(showStart, tell);
showSliderValues();
easel.showNoise();

const gallery = await createGallery({
  reuse(used) {
    settings.show(used);
    byId('prompt').focus();
  },
  async startFrom(png) {
    await start.take(png);
    byId('start').scrollIntoView({ block: 'center' });
    byId('strength').focus();
  },
});

let engine: Engine | undefined;
let running: AbortController | undefined;

settings.onSize((width, height) => {
  easel.resize(width, height);
  mask.resize(width, height);
  showStart();
});
masking.addEventListener('change', showStart);

/** The easel shows the initial image while a mask is painted on it. */
function showStart(): void {
  if (!start.given) masking.checked = false;
  const active = start.given && masking.checked;
  byId('brush').hidden = !active;
  mask.activate(active);
  const picture = start.pixels(easel.width, easel.height);
  if (picture === undefined || running !== undefined) return;
  easel.show(picture, 'The picture to start from');
  if (engine !== undefined) status.say(active ? 'Paint over what is to be drawn anew' : 'Ready');
}

function tell(text: string | undefined): void {
  problem.textContent = text ?? '';
  problem.hidden = text === undefined;
}

function startOf(): Start | undefined {
  const image = start.pixels(easel.width, easel.height);
  const painted = image !== undefined && masking.checked ? mask.pixels() : undefined;
  if (masking.checked && painted === undefined) {
    tell('Paint on the picture what is to be drawn anew, or untick “Only where I paint”.');
    byId('mask').focus();
    return undefined;
  }
  return { image, mask: painted, strength: byId<HTMLInputElement>('strength').valueAsNumber };
}

function checked(): Settings | undefined {
  const read = settings.read();
  if (read.prompt === '') {
    tell('Say what to draw.');
    byId('prompt').focus();
    return undefined;
  }
  if (read.seed !== undefined && !Number.isSafeInteger(read.seed)) {
    tell('A seed is a whole number. Leave it empty for another one each time.');
    seedInput.focus();
    return undefined;
  }
  return read;
}

async function run({ sd }: Engine, wanted: Settings, from: Start): Promise<void> {
  running = new AbortController();
  draw.hidden = true;
  cancel.hidden = false;
  cancel.focus({ preventScroll: true });
  byId('frame').scrollIntoView({ block: 'nearest' });
  document.body.classList.add('drawing');
  mask.activate(false);
  filmstrip.clear();
  byId('timings').hidden = true;
  if (from.image === undefined) easel.showNoise();
  status.say('Drawing');
  status.progress(undefined, 'reading the prompt');
  try {
    const { images, seeds, timings, warnings } = await generateImage(sd, wanted, from, {
      signal: running.signal,
      onStep({ step, steps }, preview) {
        const title = `Step ${step + 1} of ${steps}`;
        easel.show(preview, title);
        filmstrip.add(preview, title);
        status.progress((step + 1) / steps, title.toLowerCase());
      },
    });
    const picture = images[0]!;
    easel.show(picture, wanted.prompt);
    filmstrip.add(picture, 'The picture');
    status.say('Done');
    status.rest(seconds(timings.total));
    byId('timings').hidden = false;
    byId('timings').replaceChildren(
      ...terms([
        ['Reading', seconds(timings.encode)],
        ['Denoising', seconds(timings.denoise)],
        ['Decoding', seconds(timings.decode)],
        ['Seed', String(seeds[0])],
      ]),
    );
    tell(warnings.length === 0 ? undefined : warnings.map(({ message }) => message).join(' '));
    seedLast.value = String(seeds[0]);
    seedLast.disabled = false;
    const png = await picture.toBlob();
    const origin = from.mask !== undefined ? 'part of a picture' : from.image !== undefined ? 'picture' : 'noise';
    await gallery.add({ at: Date.now(), settings: { ...wanted, seed: Number(seeds[0]) }, from: origin, png });
  } catch (error) {
    status.rest();
    if ((error as Error).name === 'AbortError') status.say('Cancelled');
    else {
      status.say('That went wrong');
      tell((error as Error).message);
    }
  } finally {
    running = undefined;
    document.body.classList.remove('drawing');
    const focused = document.activeElement === cancel;
    cancel.hidden = true;
    draw.hidden = false;
    if (focused) draw.focus({ preventScroll: true });
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (engine === undefined || running !== undefined) return;
  tell(undefined);
  const wanted = checked();
  const from = wanted && startOf();
  if (wanted !== undefined && from !== undefined) run(engine, wanted, from);
});
byId('prompt').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
cancel.addEventListener('click', () => running?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && running !== undefined) running.abort();
});
seedLast.addEventListener('click', () => {
  seedInput.value = seedLast.value;
});

try {
  await keepOffline();
  status.say('Loading the model');
  status.progress(0);
  engine = await startEngine(chosenProvider(), ({ bytes, of }) => {
    const part = Math.min(1, bytes / of);
    if (part < 0.999) status.progress(part, `${megabytes(bytes)} of ${megabytes(of)}`);
    else status.progress(undefined, 'starting ONNX Runtime');
  });
  showMachine(engine);
  status.say('Ready');
  status.rest();
  draw.disabled = false;
  document.body.classList.add('ready');
} catch (error) {
  status.say('The model could not be loaded');
  status.rest();
  byId('where').textContent = 'not running';
  tell((error as Error).message);
}
