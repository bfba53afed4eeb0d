import { describe, expect, test, vi } from 'vitest';
import { createPipeline, type PipelineEvent } from '../src/index.js';
import { keptEvents } from '../src/request-queue.js';
import { gate, mockStages, road } from './support.js';

const pause = () => new Promise((resolve) => setImmediate(resolve));
const steps = (events: readonly PipelineEvent[]) =>
  events.flatMap((event) => (event.type === 'step' ? [event.step] : []));

async function rest<E, R>(stream: AsyncGenerator<E, R, void>): Promise<{ events: E[]; result: R }> {
  const events: E[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) return { events, result: value };
    events.push(value);
  }
}

describe('a reader that has stopped', () => {
  test('holds its run while nobody else waits', async () => {
    const stages = mockStages();
    const predict = vi.spyOn(stages.noisePredictor, 'predict');
    const stream = createPipeline(stages).stream({ ...road, steps: 5 });
    await stream.next();
    await stream.next();
    for (let i = 0; i < 20; i++) await pause();
    expect(predict).toHaveBeenCalledTimes(1);
    await stream.return(undefined as never);
  });

  test('does not hold up other requests, and finds every event later', async () => {
    const sd = createPipeline(mockStages());
    const stream = sd.stream({ ...road, steps: 5 });
    await stream.next();
    const others = await Promise.all([sd.generate(road), sd.generate(road)]);
    expect(others.map(({ images }) => images.length)).toEqual([1, 1]);
    const { events, result } = await rest(stream);
    expect(steps(events)).toEqual([0, 1, 2, 3, 4]);
    expect(result.images).toHaveLength(1);
    expect(result.images[0].data).toEqual((await sd.generate({ ...road, steps: 5 })).images[0].data);
  });

  test('misses the oldest steps of a long run, and nothing else', async () => {
    const sd = createPipeline(mockStages());
    const stream = sd.stream({ ...road, steps: keptEvents + 50, count: 2 });
    await stream.next();
    await sd.generate(road);
    const { events } = await rest(stream);
    expect(steps(events)).toEqual(Array.from({ length: keptEvents }, (_, i) => i + 50));
    expect(events.filter(({ type }) => type === 'image')).toHaveLength(2);
  });

  test('does not hold up others once its signal is aborted', async () => {
    const sd = createPipeline(mockStages());
    const controller = new AbortController();
    const stream = sd.stream({ ...road, steps: 1000, signal: controller.signal });
    await stream.next();
    controller.abort('gone');
    expect((await sd.generate(road)).images).toHaveLength(1);
    await expect(rest(stream)).rejects.toMatchObject({ code: 'aborted', cause: 'gone' });
  });

  test('gets the error of its run', async () => {
    const stages = mockStages();
    const { predict } = stages.noisePredictor;
    let calls = 0;
    stages.noisePredictor.predict = async (...given) => {
      calls += 1;
      if (calls === 3) throw new Error('broken');
      return predict(...given);
    };
    const sd = createPipeline(stages);
    const stream = sd.stream({ ...road, steps: 5 });
    await stream.next();
    await sd.generate({ ...road, steps: 1 });
    await expect(rest(stream)).rejects.toThrow(new Error('broken'));
  });

  test('that leaves ends a run that is ahead of it', async () => {
    const stages = mockStages();
    const { predict } = stages.noisePredictor;
    const second = gate();
    let calls = 0;
    stages.noisePredictor.predict = async (...given) => {
      calls += 1;
      if (calls === 2) await second.passed;
      return predict(...given);
    };
    const sd = createPipeline(stages);
    const stream = sd.stream({ ...road, steps: 5 });
    await stream.next();
    const other = sd.generate({ ...road, steps: 1 });
    while (calls < 2) await pause();
    const left = stream.return(undefined as never);
    second.open();
    await left;
    expect((await other).images).toHaveLength(1);
    expect(calls).toBe(3);
  });
});

describe('a request within onStep', () => {
  const inside = { code: 'invalid-option', option: 'onStep' };

  test.each(['generate', 'attach', 'detach'] as const)('%s is refused, before and after a wait', async (method) => {
    const sd = createPipeline(mockStages());
    const call = () => (method === 'generate' ? sd.generate(road) : sd[method]('x'));
    const outcomes: unknown[] = [];
    const { images } = await sd.generate({
      ...road,
      async onStep() {
        outcomes.push(await call().catch((error: unknown) => error));
        await pause();
        outcomes.push(await call().catch((error: unknown) => error));
      },
    });
    expect(images).toHaveLength(1);
    expect(outcomes).toHaveLength(4);
    for (const outcome of outcomes) expect(outcome).toMatchObject(inside);
  });

  test('of another pipeline is run, and one of the same afterwards', async () => {
    const [sd, other] = [createPipeline(mockStages()), createPipeline(mockStages())];
    let [count, later] = [0, Promise.resolve<unknown>(undefined)];
    await sd.generate({
      ...road,
      async onStep() {
        count += (await other.generate(road)).images.length;
        later = new Promise((resolve) => setTimeout(resolve, 50)).then(() => sd.generate(road));
      },
    });
    expect(count).toBe(2);
    expect(await later).toMatchObject({ images: [{}] });
  });

  test('may be between the events of a stream', async () => {
    const sd = createPipeline(mockStages());
    let count = 0;
    for await (const event of sd.stream(road))
      if (event.type === 'step') count += (await sd.generate(road)).images.length;
    expect(count).toBe(2);
  });
});

describe('an onStep that never comes back', () => {
  const hung = () => new Promise<void>(() => {});

  test('ends with its run’s signal', async () => {
    const sd = createPipeline(mockStages());
    const controller = new AbortController();
    const onStep = () => {
      setImmediate(() => controller.abort('tired'));
      return hung();
    };
    await expect(sd.generate({ ...road, signal: controller.signal, onStep })).rejects.toMatchObject({
      code: 'aborted',
      cause: 'tired',
    });
    expect((await sd.generate(road)).images).toHaveLength(1);
  });

  test('ends when the pipeline is disposed', async () => {
    const sd = createPipeline(mockStages());
    const onStep = () => {
      setImmediate(() => sd.dispose());
      return hung();
    };
    await expect(sd.generate({ ...road, onStep })).rejects.toMatchObject({ code: 'disposed' });
  });

  test('does not hold up other requests', async () => {
    const sd = createPipeline(mockStages());
    const controller = new AbortController();
    const waiting = sd.generate({ ...road, steps: 300, signal: controller.signal, onStep: hung });
    expect((await sd.generate(road)).images).toHaveLength(1);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});
