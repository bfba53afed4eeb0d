import assert from 'node:assert/strict';

/** The user's actions on the page, and what the user sees. */
export function handsOn(page) {
  const status = () => page.locator('#status').textContent();
  const waitFor = (words) => page.locator('#status', { hasText: words }).waitFor({ timeout: 180_000 });
  const idle = () => page.locator('#cancel').waitFor({ state: 'hidden', timeout: 180_000 });

  return {
    status,
    waitFor,
    async set(id, value) {
      await page.locator(`#${id}`).evaluate((input, text) => {
        input.value = text;
        input.dispatchEvent(new Event('input', { bubbles: true }));
      }, String(value));
    },
    async start() {
      await page.locator('#draw').click();
    },
    /** Generates an image, and returns the canvas's pixels as numbers. */
    async draw() {
      const before = await page.locator('#gallery li').count();
      await page.locator('#draw').click();
      await page.locator('#cancel').waitFor();
      await idle();
      assert.equal(await status(), 'Done', await page.locator('#problem').textContent());
      assert.equal(await page.locator('#gallery li').count(), before + 1);
      return this.picture();
    },
    async cancel() {
      await page.locator('#cancel').click();
      await idle();
    },
    steps: () => page.locator('#filmstrip li').count(),
    kept: () => page.locator('#gallery li').count(),
    /** RGBA pixels of the large image. */
    picture: () =>
      page
        .locator('#picture')
        .evaluate((canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]),
    async drop(file) {
      const transfer = await page.evaluateHandle(
        (bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], 'dropped.png', { type: 'image/png' }));
          return data;
        },
        [...file],
      );
      await page.dispatchEvent('#start', 'drop', { dataTransfer: transfer });
      await page.locator('#start-picture').waitFor();
    },
    /** Paints a stroke on the mask between two points, in fractions of its size. */
    async paint(from, to) {
      const canvas = page.locator('#mask');
      await canvas.scrollIntoViewIfNeeded();
      const { x, y, width, height } = await canvas.boundingBox();
      await page.mouse.move(x + from[0] * width, y + from[1] * height);
      await page.mouse.down();
      await page.mouse.move(x + to[0] * width, y + to[1] * height, { steps: 6 });
      await page.mouse.up();
    },
  };
}

/** Mean difference between the colours of two 128 x 128 images, 0 to 255, over the pixels where `counts(x, y)` is true. */
export function difference(a, b, counts = () => true) {
  let sum = 0;
  let number = 0;
  for (let i = 0; i < a.length; i += 4) {
    const [x, y] = [(i / 4) % 128, Math.floor(i / 4 / 128)];
    if (!counts(x, y)) continue;
    for (let channel = 0; channel < 3; channel++) sum += Math.abs(a[i + channel] - b[i + channel]);
    number += 3;
  }
  return sum / number;
}
