import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { messageOf } from '@sd/core';

/** Without an SDK, which the app chooses and starts, spans cost nothing. */
const tracer = () => trace.getTracer('@sd/server');

/** Runs a request within a span, which continues the trace of its client. */
export async function tracedRequest<T>(request: Request, run: (span: Span) => Promise<T>): Promise<T> {
  const parent = propagation.extract(context.active(), Object.fromEntries(request.headers));
  const attributes = { 'http.request.method': request.method, 'url.path': new URL(request.url).pathname };
  return tracer().startActiveSpan(request.method, { kind: SpanKind.SERVER, attributes }, parent, async (span) => {
    try {
      return await run(span);
    } finally {
      span.end();
    }
  });
}

/** A span for work that is read as a stream: a generator does not keep the active context, so its parent is given. */
export function startSpan(name: string, parent: Context): Span {
  return tracer().startSpan(name, {}, parent);
}

export function failSpan(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : messageOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
}
