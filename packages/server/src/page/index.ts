import { Hono } from 'hono';

export function pageRoutes(): Hono {
  return new Hono();
}
