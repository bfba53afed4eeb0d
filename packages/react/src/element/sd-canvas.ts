import type { SdImage } from '@sd/image';
import type { GenerateOptions, GenerateResult } from '@sd/pipeline';
import { createDrawing, type DrawingState } from '../shared/drawing.js';
import { createModels, type ModelsOptions } from '../shared/models.js';
import { optionsOf } from './attributes.js';
import { createView } from './view.js';

/** The element's methods and properties. */
export interface SdCanvas extends HTMLElement {
  /** What is going on: the model's state, the step, the preview, the error. */
  readonly state: DrawingState;
  /** The last finished image. */
  readonly image: SdImage | undefined;
  /**
   * Draws with the options of the attributes and these, after ending the earlier run. Resolves with undefined if it fails or
   * is aborted; the event `error` or `abort` tells.
   */
  generate(options?: Partial<GenerateOptions>): Promise<GenerateResult | undefined>;
  /** Ends the run within one step. */
  abort(): void;
}

/**
 * Defines the custom element `<sd-canvas>`. Elements of one model share its worker. Call this once, in the page's script.
 *
 * Attributes: `model`, the address of a folder or file; `prompt`, `negative-prompt`, `steps`, `seed`, `width`, `height`,
 * `guidance-scale`, `scheduler`, `strength`, as options of `generate()`; `auto` draws when the element appears and when
 * `prompt` or `seed` changes; `lazy` loads the model with the first image. Without `aria-label`, the prompt names the image.
 *
 * Events: `progress` (a ProgressEvent, in bytes of the model), `ready`, `step` (`detail: { step, steps, index }`), `image`
 * (`detail`: the result of `generate()`), `error` (an ErrorEvent) and `abort`.
 */
export function defineSdCanvas({
  name = 'sd-canvas',
  ...options
}: ModelsOptions & { readonly name?: string } = {}): void {
  if (customElements.get(name) !== undefined) return;
  const models = createModels(options);

  class SdCanvasElement extends HTMLElement implements SdCanvas {
    static readonly observedAttributes = ['model', 'prompt', 'seed', 'aria-label'];
    readonly #drawing = createDrawing();
    readonly #view = createView(this.attachShadow({ mode: 'open' }));
    #shown = this.#drawing.state.current;
    #stop: (() => void) | undefined;

    get state() {
      return this.#drawing.state.current;
    }

    get image() {
      return this.state.result?.images[0];
    }

    connectedCallback() {
      const use = models.use(this.getAttribute('model') ?? undefined);
      const unsubscribe = this.#drawing.state.subscribe(() => this.#update());
      this.#drawing.connect(use, !this.hasAttribute('lazy'));
      this.#stop = () => {
        this.#drawing.disconnect();
        unsubscribe();
      };
      this.#update();
      this.#drawIfAuto();
    }

    disconnectedCallback() {
      this.#stop?.();
      this.#stop = undefined;
    }

    attributeChangedCallback(attribute: string, before: string | null, after: string | null) {
      if (this.#stop === undefined || before === after) return;
      if (attribute === 'model') {
        this.disconnectedCallback();
        this.connectedCallback();
      } else if (attribute === 'aria-label') this.#update();
      else this.#drawIfAuto();
    }

    async generate(given: Partial<GenerateOptions> = {}) {
      const result = await this.#drawing.generate({ ...optionsOf(this), ...given });
      if (result !== undefined) this.dispatchEvent(new CustomEvent('image', { detail: result }));
      else if (this.state.error === undefined) this.dispatchEvent(new Event('abort'));
      return result;
    }

    abort() {
      this.#drawing.abort();
    }

    #drawIfAuto() {
      if (this.hasAttribute('auto') && this.hasAttribute('prompt')) this.generate();
    }

    #update() {
      const [before, state] = [this.#shown, this.state];
      this.#shown = state;
      this.#view.show(state, this.getAttribute('aria-label') ?? this.getAttribute('prompt') ?? '');
      for (const event of eventsOf(before, state)) this.dispatchEvent(event);
    }
  }

  customElements.define(name, SdCanvasElement);
}

/** The events that tell what has changed. */
function eventsOf(before: DrawingState, { status, download, step, error }: DrawingState): Event[] {
  const events: Event[] = [];
  if (download !== before.download && download.size > 0) {
    events.push(
      new ProgressEvent('progress', { lengthComputable: true, loaded: download.loaded, total: download.size }),
    );
  }
  if (before.status === 'loading' && (status === 'ready' || status === 'drawing')) events.push(new Event('ready'));
  if (step !== before.step && step !== undefined) events.push(new CustomEvent('step', { detail: step }));
  if (error !== before.error && error !== undefined)
    events.push(new ErrorEvent('error', { error, message: error.message }));
  return events;
}
