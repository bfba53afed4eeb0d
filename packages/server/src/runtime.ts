import type { Engine, EngineEvent, Job } from './engine.js';
import type { ImageStore } from './image-store.js';
import type { Limits } from './limits.js';

/** What the routes of every API work with. */
export interface Runtime {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly images: ImageStore;
  /** Where clients find the server, without a slash at the end: the start of links to images. */
  urlOf(request: Request): string;
  /**
   * Draws a job for a request. Its events are counted and traced; the job ends when the client is gone, or when the server
   * has to stop.
   */
  draw(job: Omit<Job, 'id'>, request: Request, signal?: AbortSignal): AsyncGenerator<EngineEvent, void, void>;
}
