import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { readParameters } from '@sd/image';
import { difference, handsOn } from './hands.js';
import { launch, serveBuild } from './site.js';

const total = (sent) => sent.reduce((sum, [, bytes]) => sum + bytes, 0);

/** The tests share one browser and run in order, as a user's visits would. */
describe('the page', { timeout: 900_000 }, () => {
  let site;
  let browser;
  let context;
  let page;
  let hands;
  let first;
  const errors = [];

  const open = async () => {
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    hands = handsOn(page);
    await page.goto(site.url);
    await hands.waitFor('Ready');
  };

  before(async () => {
    site = await serveBuild();
    browser = await launch();
    context = await browser.newContext({ viewport: { width: 1280, height: 860 }, acceptDownloads: true });
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });

  test('loads the model, and shows the progress in bytes', async () => {
    page = await context.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    hands = handsOn(page);
    await page.addInitScript(() => {
      globalThis.seen = [];
      addEventListener('DOMContentLoaded', () => {
        const figures = document.querySelector('#figures');
        new MutationObserver(() => globalThis.seen.push(figures.textContent)).observe(figures, { childList: true });
      });
    });
    await page.goto(site.url);
    await hands.waitFor('Ready');
    const seen = await page.evaluate(() => globalThis.seen);
    assert.ok(seen.filter((text) => /^\d+\.\d MB of \d+\.\d MB$/.test(text)).length >= 3, seen.join('; '));
    assert.match(await page.locator('#facts').textContent(), /WebAssembly, on the processor/);
    assert.match(await page.locator('#missing').textContent(), /WebGPU/);
    assert.ok(total(site.take('/model/')) > 38_000_000);
  });

  test('generates, with a preview of each step', async () => {
    await hands.set('seed', 3);
    await hands.set('steps', 6);
    first = await hands.draw();
    assert.equal(await hands.steps(), 7);
    const noise = await page
      .locator('#filmstrip canvas')
      .first()
      .evaluate((canvas) => canvas.width);
    assert.equal(noise, 16);
    assert.match(await page.locator('#timings').textContent(), /Reading.*Denoising.*Decoding.*Seed3/);
  });

  test('shows a step again by click and by keyboard', async () => {
    await page.locator('#filmstrip button').nth(1).click();
    assert.equal(await page.locator('#picture').getAttribute('aria-label'), 'Step 2 of 6');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('#picture').getAttribute('aria-label'), 'Step 3 of 6');
  });

  test('cancels during a run, and then generates the same image again', async () => {
    await hands.set('steps', 60);
    await hands.start();
    await page.locator('#filmstrip li').nth(1).waitFor();
    await hands.cancel();
    assert.equal(await hands.status(), 'Cancelled');
    assert.ok((await hands.steps()) < 59);
    assert.equal(await hands.kept(), 1);
    await hands.set('steps', 6);
    assert.deepEqual(await hands.draw(), first);
  });

  test('reports invalid settings', async () => {
    await hands.set('prompt', ' ');
    await hands.start();
    assert.equal(await page.locator('#problem').textContent(), 'Say what to draw.');
    await hands.set('prompt', 'a red apple on a table');
    await hands.set('seed', '2.5');
    await hands.start();
    assert.match(await page.locator('#problem').textContent(), /whole number/);
    await hands.set('seed', 4);
  });

  test('starts from a dropped image', async () => {
    const png = await page
      .locator('#gallery img')
      .first()
      .evaluate(async (image) => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]);
    await hands.drop(png);
    await hands.set('strength', 0.4);
    const near = await hands.draw();
    await hands.set('strength', 1);
    const far = await hands.draw();
    assert.ok(difference(near, first) < difference(far, first), 'less change leaves more of the picture');
  });

  test('inpaints only the painted area', async () => {
    await page.locator('#masking').check();
    await hands.paint([0.6, 0.5], [0.9, 0.5]);
    await hands.set('prompt', 'a yellow banana');
    await hands.set('strength', 1);
    const painted = await hands.draw();
    const inside = difference(painted, first, (x, y) => x > 80 && x < 112 && y > 56 && y < 72);
    const outside = difference(painted, first, (x) => x < 48);
    assert.ok(inside > 3 * outside, `${inside} inside, ${outside} outside`);
    await page.locator('#start-remove').click();
    assert.equal(await hands.kept(), 5);
  });

  test('saves a PNG file with its settings, and restores them', async () => {
    await page.locator('#gallery button').last().click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#detail-download').click()]);
    assert.equal(download.suggestedFilename(), 'a-blue-car-on-a-road-3.png');
    const { prompt, settings } = await readParameters(await readFile(await download.path()));
    assert.equal(prompt, 'a blue car on a road');
    assert.deepEqual([settings.Seed, settings.Steps, settings.Size], ['3', '6', '128x128']);
    await page.locator('#detail-reuse').click();
    assert.equal(await page.locator('#prompt').inputValue(), 'a blue car on a road');
    assert.equal(await page.locator('#seed').inputValue(), '3');
  });

  test('generates and cancels by keyboard only', async () => {
    await hands.set('steps', 60);
    await page.locator('#prompt').focus();
    await page.keyboard.press('Enter');
    await page.locator('#filmstrip li').first().waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'cancel');
    await page.keyboard.press('Escape');
    await page.locator('#draw').waitFor();
    assert.equal(await hands.status(), 'Cancelled');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'draw');
  });

  test('is not wider than the screen', async () => {
    await hands.set('steps', 30);
    await hands.draw();
    for (const width of [320, 390, 820, 1280]) {
      await page.setViewportSize({ width, height: 860 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    }
  });

  test('keeps its gallery and its model after a reload', async () => {
    await page.close();
    site.take('/');
    await open();
    assert.equal(await hands.kept(), 6);
    // Two bytes of each file are requested, to detect changes.
    const again = site.take('/model/');
    assert.ok(total(again) < 1000, `sent again: ${again.join('; ')}`);
  });

  test('generates without a network', async () => {
    await page.close();
    await site.close();
    await open();
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    await hands.set('seed', 3);
    await hands.set('steps', 6);
    assert.deepEqual(await hands.draw(), first);
  });

  test('had no uncaught errors', () => assert.deepEqual(errors, []));
});

test('a server without headers: one thread, then several after a reload', { timeout: 300_000 }, async () => {
  const site = await serveBuild({ isolated: false });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const hands = handsOn(page);
    await page.goto(site.url);
    await hands.waitFor('Ready');
    assert.equal(await page.evaluate(() => crossOriginIsolated), false);
    assert.match(await page.locator('#missing').textContent(), /one thread.*load it again/s);
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.waitForFunction(() => crossOriginIsolated);
    await hands.waitFor('Ready');
    assert.doesNotMatch(await page.locator('#missing').textContent(), /one thread/);
  } finally {
    await browser.close();
    await site.close();
  }
});
