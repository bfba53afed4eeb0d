// The page at the root of the server: draws by OpenAI's Images API, with previews.

const api = new URL('v1/', import.meta.url);
const element = (id) => document.getElementById(id);
const form = element('form');
const keyName = 'sd-api-key';
let leaving = new AbortController();

element('openai-url').textContent = api.href.replace(/\/$/, '');
element('a1111-url').textContent = new URL('sdapi/v1', import.meta.url).href;
element('key').value = sessionStorage.getItem(keyName) ?? '';
element('key').addEventListener('change', () => {
  sessionStorage.setItem(keyName, element('key').value);
  listModels();
});
element('stop').addEventListener('click', () => leaving.abort());
form.addEventListener('submit', (event) => {
  event.preventDefault();
  draw();
});
element('prompt').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
listModels();

async function send(path, options = {}) {
  const key = element('key').value;
  const headers = { ...options.headers, ...(key !== '' && { authorization: `Bearer ${key}` }) };
  const response = await fetch(new URL(path, api), { ...options, headers });
  if (response.status === 401) element('key-field').hidden = false;
  if (response.ok) return response;
  const body = await response.json().catch(() => undefined);
  throw new Error(body?.error?.message ?? `The server answered ${response.status}.`);
}

async function listModels() {
  try {
    const { data } = await (await send('models')).json();
    element('model').replaceChildren(...data.map(({ id }) => new Option(id, id)));
    say('');
  } catch (error) {
    say(error.message, true);
  }
}

async function draw() {
  leaving = new AbortController();
  setBusy(true);
  say('Waiting…');
  const fields = readForm();
  const figures = Array.from({ length: fields.n }, () => createFigure(fields.prompt));
  element('images').prepend(...figures.map(({ figure }) => figure));
  try {
    const response = await send('images/generations', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...fields, stream: true, partial_images: 3 }),
      signal: leaving.signal,
    });
    say('Drawing…');
    for await (const event of eventsOf(response.body)) show(event, figures);
    say('Done.');
  } catch (error) {
    if (leaving.signal.aborted) say('Stopped.');
    else say(error.message, true);
  } finally {
    for (const { figure } of figures) if (figure.classList.contains('unfinished')) figure.remove();
    setBusy(false);
  }
}

/** The fields that are filled in. */
function readForm() {
  const { width, height, ...given } = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
  for (const name of ['n', 'steps', 'guidance_scale', 'seed']) if (name in given) given[name] = Number(given[name]);
  const size = width || height ? `${width || height}x${height || width}` : 'auto';
  return { ...given, size };
}

function createFigure(prompt) {
  const figure = document.createElement('figure');
  const image = document.createElement('img');
  const caption = document.createElement('figcaption');
  const text = document.createElement('p');
  figure.className = 'unfinished';
  image.alt = `Unfinished: ${prompt}`;
  image.hidden = true;
  text.textContent = prompt;
  caption.append(text);
  figure.append(image, caption);
  return { figure, image, caption, prompt };
}

function show(event, figures) {
  if (event.error) throw new Error(event.error.message);
  const { figure, image, caption, prompt } = figures[event.image_index ?? 0];
  image.hidden = false;
  image.src = `data:image/${event.output_format};base64,${event.b64_json}`;
  if (!event.type.endsWith('.completed')) return;
  figure.classList.remove('unfinished');
  image.alt = prompt;
  const link = document.createElement('a');
  link.href = image.src;
  link.download = `${event.seed}.${event.output_format}`;
  link.textContent = `Save (seed ${event.seed}, ${event.size})`;
  caption.append(link);
}

/** The data of server-sent events. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) {
      const data = event.split('\n').flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []));
      if (data.length > 0) yield JSON.parse(data.join('\n'));
    }
  }
}

function setBusy(isBusy) {
  element('draw').disabled = isBusy;
  element('stop').hidden = !isBusy;
}

function say(message, isError = false) {
  element('status').textContent = message;
  element('status').classList.toggle('error', isError);
}
