"""diffusers' EDM schedulers: python make_edm.py (torch 2.13, diffusers 0.42) writes edm.json.

Of each config the sigmas and timesteps of some numbers of steps, and what a run makes of a sample with the model
f(x, t) = 0.4 sin(3 x) + 0.2 t, whose noise in stochastic runs is torch's of seed 0.
"""
import json
import pathlib

import torch
from diffusers import EDMDPMSolverMultistepScheduler, EDMEulerScheduler

torch.set_grad_enabled(False)
cosxl = dict(sigma_max=120.0, sigma_data=1.0, prediction_type='v_prediction', sigma_schedule='exponential')
CASES = {
    'euler': (EDMEulerScheduler, {}),
    'euler cosxl': (EDMEulerScheduler, cosxl),
    'euler to sigma_min': (EDMEulerScheduler, dict(final_sigmas_type='sigma_min', rho=5.0)),
    'dpm': (EDMDPMSolverMultistepScheduler, {}),
    'dpm cosxl': (EDMDPMSolverMultistepScheduler, cosxl),
    'dpm order 3': (EDMDPMSolverMultistepScheduler, dict(solver_order=3)),
    'dpm order 1': (EDMDPMSolverMultistepScheduler, dict(solver_order=1)),
    'dpm heun': (EDMDPMSolverMultistepScheduler, dict(solver_type='heun', euler_at_final=True)),
    'dpm sde': (EDMDPMSolverMultistepScheduler, dict(algorithm_type='sde-dpmsolver++')),
    'dpm to sigma_min': (EDMDPMSolverMultistepScheduler, dict(final_sigmas_type='sigma_min', lower_order_final=False)),
    'dpm thresholding': (EDMDPMSolverMultistepScheduler, dict(thresholding=True, sample_max_value=0.9)),
}


def rounded(values, digits=7):
    return [float(f'{v:.{digits}g}') for v in values.flatten().tolist()]


def run(make, config, steps):
    scheduler = make(**config)
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(0)
    x = torch.linspace(-1, 1, 16).reshape(1, 1, 4, 4) * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, t)
        x = scheduler.step(0.4 * torch.sin(3 * scaled) + 0.2 * t, t, x, generator=generator).prev_sample
    return rounded(x, 6)


out = {}
for name, (make, config) in CASES.items():
    grids = {}
    for steps in (1, 2, 7, 30, 100):
        scheduler = make(**config)
        scheduler.set_timesteps(steps)
        grids[steps] = dict(sigmas=rounded(scheduler.sigmas), timesteps=rounded(scheduler.timesteps))
    runs = {steps: run(make, config, steps) for steps in (1, 4, 20)}
    out[name] = dict(config=dict(config, _class_name=make.__name__), grids=grids, runs=runs)
(pathlib.Path(__file__).parent / 'edm.json').write_text(json.dumps(out, separators=(',', ':')) + '\n')
