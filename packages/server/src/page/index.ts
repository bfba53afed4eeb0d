import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import style from './page.css?raw';
import html from './page.html?raw';
import script from './page.js?raw';

/** Nothing but what this server sends, and images that the script got as data. */
const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    baseUri: ["'none'"],
    connectSrc: ["'self'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    imgSrc: ["'self'", 'data:'],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
  },
  xFrameOptions: 'DENY',
  referrerPolicy: 'no-referrer',
  strictTransportSecurity: false,
});

/**
 * A page to try the server. Its links begin with the path that the server is mounted at; where that is not known, as in
 * Express, they are relative, and the page's address must end with a slash.
 */
export function pageRoutes(basePath: string): Hono {
  const prefix = basePath === '' ? '' : `${basePath}/`;
  const files = {
    '/': { text: html.replaceAll('"page.', `"${prefix}page.`), type: 'text/html; charset=utf-8' },
    '/page.css': { text: style, type: 'text/css; charset=utf-8' },
    '/page.js': { text: script, type: 'text/javascript; charset=utf-8' },
  };
  const app = new Hono();
  for (const [path, { text, type }] of Object.entries(files)) {
    app.get(path, headers, (c) => c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }));
  }
  return app;
}
