// The samplers, and their names in other programs. measure.js fills the columns that can be measured.
import * as sd from '@sd/scheduler';

/**
 * @typedef {object} SamplerRow
 * @property {string} name as exported
 * @property {import('@sd/core').Sampler} sampler
 * @property {readonly string[]} diffusers class names, without `Scheduler`
 * @property {string} [k] k-diffusion's function, without `sample_`
 * @property {string} [comfy]
 * @property {string} [a1111]
 * @property {readonly string[]} papers arXiv numbers
 */

/** @type {readonly SamplerRow[]} */
export const samplers = [
  row('ddim', sd.ddim(), { diffusers: ['DDIM'], comfy: 'ddim', a1111: 'DDIM', papers: ['2010.02502'] }),
  row('ddpm', sd.ddpm(), { diffusers: ['DDPM'], comfy: 'ddpm', papers: ['2006.11239'] }),
  row('pndm', sd.pndm(), { diffusers: ['PNDM'], a1111: 'PLMS', papers: ['2202.09778'] }),
  row('euler', sd.euler(), {
    diffusers: ['EulerDiscrete', 'EDMEuler', 'FlowMatchEulerDiscrete'],
    k: 'euler',
    comfy: 'euler',
    a1111: 'Euler',
    papers: ['2206.00364'],
  }),
  row('eulerAncestral', sd.eulerAncestral(), {
    diffusers: ['EulerAncestralDiscrete'],
    k: 'euler_ancestral',
    comfy: 'euler_ancestral',
    a1111: 'Euler a',
  }),
  row('heun', sd.heun(), {
    diffusers: ['HeunDiscrete', 'FlowMatchHeunDiscrete'],
    k: 'heun',
    comfy: 'heun',
    a1111: 'Heun',
    papers: ['2206.00364'],
  }),
  row('dpm2', sd.dpm2(), {
    diffusers: ['KDPM2Discrete'],
    k: 'dpm_2',
    comfy: 'dpm_2',
    a1111: 'DPM2',
    papers: ['2206.00927'],
  }),
  row('dpm2Ancestral', sd.dpm2Ancestral(), {
    diffusers: ['KDPM2AncestralDiscrete'],
    k: 'dpm_2_ancestral',
    comfy: 'dpm_2_ancestral',
    a1111: 'DPM2 a',
    papers: ['2206.00927'],
  }),
  row('lms', sd.lms(), { diffusers: ['LMSDiscrete'], k: 'lms', comfy: 'lms', a1111: 'LMS' }),
  row('ipndm', sd.ipndm(), { diffusers: ['IPNDM'], comfy: 'ipndm', papers: ['2204.13902'] }),
  row('deis', sd.deis(), { diffusers: ['DEISMultistep'], comfy: 'deis', papers: ['2204.13902'] }),
  row('dpmpp2sAncestral', sd.dpmpp2sAncestral(), {
    k: 'dpmpp_2s_ancestral',
    comfy: 'dpmpp_2s_ancestral',
    a1111: 'DPM++ 2S a',
    papers: ['2211.01095'],
  }),
  row('dpmppSde', sd.dpmppSde(), {
    diffusers: ['DPMSolverSDE'],
    k: 'dpmpp_sde',
    comfy: 'dpmpp_sde',
    a1111: 'DPM++ SDE',
    papers: ['2211.01095'],
  }),
  row('dpmpp2m', sd.dpmpp2m(), {
    diffusers: ['DPMSolverMultistep', 'EDMDPMSolverMultistep'],
    k: 'dpmpp_2m',
    comfy: 'dpmpp_2m',
    a1111: 'DPM++ 2M',
    papers: ['2211.01095'],
  }),
  row('dpmpp2mSde', sd.dpmpp2mSde(), {
    diffusers: ['DPMSolverMultistep'],
    k: 'dpmpp_2m_sde',
    comfy: 'dpmpp_2m_sde',
    a1111: 'DPM++ 2M SDE',
    papers: ['2211.01095'],
  }),
  row('dpmpp3mSde', sd.dpmpp3mSde(), {
    diffusers: ['DPMSolverMultistep'],
    k: 'dpmpp_3m_sde',
    comfy: 'dpmpp_3m_sde',
    a1111: 'DPM++ 3M SDE',
    papers: ['2211.01095'],
  }),
  row('dpmSolverMultistep', sd.dpmSolverMultistep(), {
    diffusers: ['DPMSolverMultistep'],
    papers: ['2206.00927', '2211.01095'],
  }),
  row('dpmSolverSinglestep', sd.dpmSolverSinglestep(), {
    diffusers: ['DPMSolverSinglestep'],
    papers: ['2206.00927', '2211.01095'],
  }),
  row('resMultistep', sd.resMultistep(), { comfy: 'res_multistep', papers: ['2308.02157'] }),
  row('unipc', sd.unipc(), {
    diffusers: ['UniPCMultistep'],
    comfy: 'uni_pc_bh2',
    a1111: 'UniPC',
    papers: ['2302.04867'],
  }),
  row('saSolver', sd.saSolver(), { diffusers: ['SASolver'], comfy: 'sa_solver', papers: ['2309.05019'] }),
  row('lcm', sd.lcm(), { diffusers: ['LCM'], comfy: 'lcm', a1111: 'LCM', papers: ['2310.04378'] }),
  row('tcd', sd.tcd(), { diffusers: ['TCD'], papers: ['2402.19159'] }),
  row('restart', sd.restart(), { a1111: 'Restart', papers: ['2306.14878'] }),
  row('eulerCfgPp', sd.eulerCfgPp(), { comfy: 'euler_cfg_pp', a1111: 'DDIM CFG++', papers: ['2406.08070'] }),
  row('dpmpp2mCfgPp', sd.dpmpp2mCfgPp(), { comfy: 'dpmpp_2m_cfg_pp', papers: ['2406.08070'] }),
];

/**
 * @param {string} name
 * @param {import('@sd/core').Sampler} sampler
 * @param {Partial<Omit<SamplerRow, 'name' | 'sampler'>>} elsewhere
 * @returns {SamplerRow}
 */
function row(name, sampler, elsewhere) {
  return { name, sampler, diffusers: [], papers: [], ...elsewhere };
}
