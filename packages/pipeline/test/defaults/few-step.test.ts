import { describe, expect, test } from 'vitest';
import { fewStepDefaults } from '../../src/defaults/few-step.js';
import { fileNames } from '../../src/defaults/file-names.js';
import { describeDefaults, withOwnSolver } from '../../src/defaults/run-defaults.js';

/** The defaults of a file in a word each: method, class, spacing or timesteps, steps, guidance scale. */
function toldOf(address: string, facts: { isAdapter?: boolean; family?: string; takesGuidance?: boolean } = {}) {
  const found = fewStepDefaults({ names: fileNames(address), isAdapter: false, ...facts });
  if (found === undefined) return 'none';
  const { title, steps, guidanceScale, scheduler, strength } = found;
  const { _class_name: name, ...config } = scheduler?.config ?? {};
  const changes = Object.entries({ ...config, ...scheduler?.step }).map(([key, value]) => `${key}=${value}`);
  return [
    title,
    name?.replace('Scheduler', ''),
    ...changes,
    scheduler?.timesteps?.join('-'),
    strength && `strength=${strength}`,
    steps,
    guidanceScale,
  ]
    .filter((part) => part !== undefined)
    .join(' ');
}

const euler = 'EulerDiscrete timestep_spacing=trailing';
const ddim = 'DDIM timestep_spacing=trailing';
const ancestral = 'EulerAncestralDiscrete timestep_spacing=trailing';

describe('models, by name', () => {
  test.each([
    ['sdxl_lightning_1step_x0.safetensors', `SDXL-Lightning ${euler} prediction_type=sample 1 1`],
    ['sdxl_lightning_2step.safetensors', `SDXL-Lightning ${euler} 2 1`],
    ['sdxl_lightning_4step_unet.safetensors', `SDXL-Lightning ${euler} 4 1`],
    ['sdxl_lightning_8step.safetensors', `SDXL-Lightning ${euler} 8 1`],
    ['models/dataautogpt3/ProteusV0.3-Lightning', `SDXL-Lightning ${euler} 8 1`],
    ['realvisxlV40_v40LightningBakedvae.safetensors', `SDXL-Lightning ${euler} 8 1`],
    ['etri-vilab/koala-lightning-700m', `KOALA-Lightning ${euler} 10 3.5`],
    ['Hyper-SDXL-1step-Unet.safetensors', 'Hyper-SD LCM 800 1 1'],
    ['Realistic_Vision_V6.0_B1_Hyper.safetensors', `Hyper-SD ${ddim} 8 1`],
    ['dmd2_sdxl_4step_unet_fp16.bin', 'DMD2 LCM 999-749-499-249 4 1'],
    ['dmd2_sdxl_1step_unet.bin', 'DMD2 LCM 399 1 1'],
    ['sd_xl_turbo_1.0_fp16.safetensors', `Turbo ${ancestral} 1 1`],
    ['stabilityai/sd-turbo', `Turbo ${ancestral} 1 1`],
    ['dreamshaperXL_v21TurboDPMSDE.safetensors', `Turbo ${ancestral} 4 1`],
    ['sd3.5_large_turbo.safetensors', 'Stable Diffusion 3.5 Turbo 4 1'],
    ['stabilityai/stable-diffusion-3.5-large-turbo', 'Stable Diffusion 3.5 Turbo 4 1'],
    ['DreamShaper_8LCM.safetensors', 'LCM LCM 4 1'],
    ['IDKiro/sdxs-512-dreamshaper', `SDXS ${euler} 1 1`],
  ])('%s: %s', (address, told) => {
    expect(toldOf(address)).toBe(told);
  });

  test('and a U-Net that takes the guidance scale is a latent consistency model by itself', () => {
    expect(toldOf('unet', { takesGuidance: true, family: 'sd1' })).toBe('LCM LCM 4 8.5');
    expect(toldOf('unet', { takesGuidance: true, family: 'sdxl' })).toBe('LCM LCM 4 8');
  });

  test.each([
    'v1-5-pruned-emaonly.safetensors',
    'hyper-realistic-mix.safetensors',
    'hyperspire.safetensors',
    'flashback.safetensors',
    'turbine/model.safetensors',
    'stable-diffusion-xl-base-1.0',
    'falcmix.safetensors',
  ])('%s is not distilled', (address) => {
    expect(toldOf(address)).toBe('none');
  });
});

describe('adapters, by name', () => {
  const adapter = (address: string, family?: string) => toldOf(address, { isAdapter: true, ...(family && { family }) });

  test.each([
    ['sdxl_lightning_8step_lora.safetensors', `SDXL-Lightning ${euler} 8 1`],
    ['Hyper-SD15-1step-lora.safetensors', 'Hyper-SD TCD eta=1 1 1'],
    ['Hyper-SDXL-2steps-lora.safetensors', `Hyper-SD ${ddim} 2 1`],
    ['Hyper-SDXL-12steps-CFG-lora.safetensors', `Hyper-SD ${ddim} 12 5`],
    ['Hyper-SD3-8steps-CFG-lora.safetensors', 'Hyper-SD strength=0.125 8 5'],
    ['dmd2_sdxl_4step_lora_fp16.safetensors', 'DMD2 LCM 999-749-499-249 4 1'],
    ['sdxl/pcm_sdxl_smallcfg_2step_converted.safetensors', `PCM ${ddim} clip_sample=false set_alpha_to_one=false 2 1`],
    ['pcm_sd15_normalcfg_16step.safetensors', `PCM ${ddim} clip_sample=false set_alpha_to_one=false 16 7.5`],
    ['pcm_sdxl_lcmlike_lora_converted.safetensors', 'PCM LCM 4 1'],
    ['sd3/pcm_deterministic_4step_shift3.safetensors', 'PCM shift=3 4 1', 'sd3'],
    ['h1t/TCD-SD21-base-LoRA/pytorch_lora_weights.safetensors', 'TCD TCD eta=0.3 4 1'],
    ['jasperai/flash-sdxl/pytorch_lora_weights.safetensors', 'Flash Diffusion LCM 4 1'],
    ['jasperai/flash-sd3/pytorch_lora_weights.safetensors', 'Flash Diffusion stochastic_sampling=true 4 1', 'sd3'],
    ['animatediff_lightning_2step_diffusers.safetensors', `AnimateDiff-Lightning ${euler} beta_schedule=linear 2 1`],
    ['AnimateLCM_sd15_t2v_lora.safetensors', 'AnimateLCM LCM beta_schedule=linear 6 2'],
    [
      'https://hub.example/latent-consistency/lcm-lora-sdxl/resolve/main/pytorch_lora_weights.safetensors',
      'LCM LCM 4 1',
    ],
    [
      '/cache/models--ByteDance--Hyper-SD/snapshots/0123456789abcdef0123456789abcdef01234567/Hyper-SDXL-8steps-lora.safetensors',
      `Hyper-SD ${ddim} 8 1`,
    ],
  ])('%s: %s', (address, told, family?: string) => {
    expect(adapter(address, family)).toBe(told);
  });

  test.each([
    'lightning-bolts-xl.safetensors',
    'turbo-charger.safetensors',
    'hyperdetailed.safetensors',
    'style.safetensors',
  ])('%s is an ordinary LoRA', (address) => {
    expect(adapter(address)).toBe('none');
  });

  test('a renamed file is told by the titles in its metadata, but not by its base model', () => {
    const names = (metadata: Record<string, string>) => fileNames('renamed.safetensors', metadata);
    const told = (metadata: Record<string, string>) =>
      fewStepDefaults({ names: names(metadata), isAdapter: true })?.title;
    expect(told({ 'modelspec.title': 'lcm-lora' })).toBe('LCM');
    expect(told({ ss_output_name: 'dmd2_lora' })).toBe('DMD2');
    expect(told({ ss_sd_model_name: 'sd_xl_turbo_1.0.safetensors' })).toBeUndefined();
  });
});

describe('a scheduler that a model’s config was given', () => {
  const lightning = fewStepDefaults({ names: ['sdxl_lightning_4step'], isAdapter: false })!;
  const solverOf = (_class_name: string, timestep_spacing?: string) =>
    withOwnSolver(lightning, { _class_name, timestep_spacing }).scheduler?.config;

  test('is kept where any will do, with the spacing corrected', () => {
    expect(solverOf('DPMSolverSDEScheduler', 'leading')).toEqual({
      _class_name: 'DPMSolverSDEScheduler',
      timestep_spacing: 'trailing',
    });
    expect(solverOf('DDIMScheduler', 'trailing')?._class_name).toBe('DDIMScheduler');
  });

  test('is replaced where it is that of the undistilled model', () => {
    expect(solverOf('PNDMScheduler', 'leading')?._class_name).toBe('EulerDiscreteScheduler');
    expect(solverOf('DDIMScheduler')?._class_name).toBe('EulerDiscreteScheduler');
  });
});

test('defaults are described for messages', () => {
  expect(describeDefaults(fewStepDefaults({ names: ['sdxl-turbo'], isAdapter: false })!)).toBe(
    'EulerAncestralDiscreteScheduler, 1 step, guidance scale 1',
  );
});
