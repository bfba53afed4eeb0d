import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHandler } from '../src/index.js';
import { fakeEngine } from './support/fake-engine.js';

const exporter = new InMemorySpanExporter();
beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
});
afterAll(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

test.each([false, true])(
  'a request is a span of its client’s trace, and drawing one within it (stream: %s)',
  async (stream) => {
    exporter.reset();
    const { fetch } = createHandler({ engine: fakeEngine() });
    const traceId = 'a'.repeat(32);
    const response = await fetch(
      new Request('http://localhost/v1/images/generations', {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${'b'.repeat(16)}-01` },
        body: JSON.stringify({ prompt: 'a cat', stream }),
      }),
    );
    await response.text();
    const spans = exporter.getFinishedSpans();
    const request = spans.find(({ name }) => name === 'POST /v1/images/generations')!;
    const draw = spans.find(({ name }) => name === 'draw')!;
    expect(request.spanContext().traceId).toBe(traceId);
    expect(request.attributes).toMatchObject({
      'http.response.status_code': 200,
      'http.route': '/v1/images/generations',
    });
    expect(draw.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    expect(draw.attributes).toMatchObject({ 'sd.model': 'gray', 'sd.outcome': 'done' });
  },
);
