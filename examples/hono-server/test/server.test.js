import path from 'node:path';
import { test } from 'node:test';
import { checkServer } from '@sd/example-shared/testing';

test('the route streams previews and the image, and a client that leaves ends its run', () =>
  checkServer(path.join(import.meta.dirname, '..')));
