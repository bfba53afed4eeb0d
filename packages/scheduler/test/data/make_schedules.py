"""Noise schedules in float32 from diffusers. usage: make_schedules.py OUT.json     needs torch and diffusers"""
import json, sys
from diffusers import DDIMScheduler
cases = {
    'linear': dict(), 'scaled_linear': dict(beta_schedule='scaled_linear', beta_start=.00085, beta_end=.012),
    'squaredcos_cap_v2': dict(beta_schedule='squaredcos_cap_v2'), 'linear 1100': dict(num_train_timesteps=1100),
    'scaled_linear zero snr': dict(beta_schedule='scaled_linear', beta_start=.00085, beta_end=.012, rescale_betas_zero_snr=True),
    'trained': dict(trained_betas=[.01 * (i + 1) for i in range(20)], num_train_timesteps=20)}
out = {}
for name, config in cases.items():
    s = DDIMScheduler(**config)
    n = len(s.alphas_cumprod)
    at = sorted({0, 1, n // 3, n // 2, n - 2, n - 1})
    # Exact float32 values, and a sum over all of them in double precision.
    out[name] = dict(config=config, at=at, betas=[s.betas[i].item() for i in at], alphas_cumprod=[s.alphas_cumprod[i].item() for i in at],
                     betas_sum=s.betas.double().sum().item(), alphas_cumprod_sum=s.alphas_cumprod.double().sum().item())
json.dump(out, open(sys.argv[1], 'w'), separators=(',', ':'))
