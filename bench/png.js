// How long encoding a PNG file holds the event loop, and how long it takes: npm run build, then node bench/png.js
import { encodePng } from '@sd/image';

/** An image with as much detail as a photograph. */
function detailed(side) {
  const data = new Uint8ClampedArray(side * side * 4);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = i % 4 === 3 ? 255 : 128 + ((i >> 4) & 63) + ((state >> 16) & 15);
  }
  return { width: side, height: side, data };
}

await encodePng(detailed(64));
for (const side of [256, 512, 1024, 2048]) {
  const image = detailed(side);
  const gaps = watchLoop();
  const start = performance.now();
  const file = await encodePng(image);
  const took = performance.now() - start;
  const longest = await gaps.longest();
  const rows = [`${side} x ${side}`, `${Math.round(took)} ms`, `loop held ${Math.round(longest)} ms at most`];
  console.log([...rows, `${(file.length / 1e6).toFixed(2)} MB`].join(', '));
}

/** Measures the longest time between two turns of the event loop. */
function watchLoop() {
  let longest = 0;
  let last = performance.now();
  let isDone = false;
  let resolve;
  const done = new Promise((resolved) => {
    resolve = resolved;
  });
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (isDone) resolve(longest);
    else setImmediate(turn);
  };
  setImmediate(turn);
  return {
    longest() {
      isDone = true;
      return done;
    },
  };
}
