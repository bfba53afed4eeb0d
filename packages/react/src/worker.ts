import { servePipeline } from '@sd/pipeline/worker/serve';

servePipeline();
