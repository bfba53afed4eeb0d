/** The values of `sd serve` by the names of its options. */
export interface ServeValues {
  readonly models: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly apiKey?: readonly string[];
  readonly open?: boolean;
  readonly cors?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly basePath?: string;
  readonly publicUrl?: string;
  readonly alias?: readonly string[];
  readonly loras?: string;
  readonly memoryBudget?: number;
  readonly queue?: string;
  readonly concurrency?: number;
  readonly maxWaiting?: number;
  readonly maxCount?: number;
  readonly maxSteps?: number;
  readonly maxPixels?: number;
  readonly maxBody?: number;
  readonly grace: number;
}
