// A server, and OpenAI's client that draws with it: an image with previews, and an edit of it.
import { writeFile } from 'node:fs/promises';
import { createServer } from '@sd/server/node';
import OpenAI, { toFile } from 'openai';

const start = performance.now();
const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
const server = await createServer({ port: 0 });
const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });

const stream = await client.images.generate({ prompt: 'a blue car on a road', stream: true, partial_images: 2 });
let car;
for await (const event of stream) {
  console.log(`${seconds()}: ${event.type}`);
  if (event.type === 'image_generation.completed') car = Buffer.from(event.b64_json, 'base64');
}
await writeFile('car.png', car);

const image = await toFile(car, 'car.png', { type: 'image/png' });
const { data } = await client.images.edit({ image, prompt: 'a red car on a road' });
await writeFile('red-car.png', Buffer.from(data[0].b64_json, 'base64'));
console.log(`${seconds()}: car.png and red-car.png, edited with seed ${data[0].seed}`);
await server.close();
