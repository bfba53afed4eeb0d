"""Golden values of k-diffusion's samplers and spacings. usage: make_k_diffusion.py OUT.json     needs torch, torchsde, k-diffusion

The model is the exact denoiser of data with mean 0.3 and standard deviation 0.5. x starts as arange(48) / 24 - 1, times
the first sigma. Noise: torch's CPU generator, seed 0, one draw of 48 per call, in the order of calls."""
import importlib.util, json, sys
import torch

# The package's __init__ imports training code and its dependencies; only two of its modules are needed.
where = importlib.util.find_spec('k_diffusion').submodule_search_locations[0]
package = type(sys)('k_diffusion'); package.__path__ = [where]; sys.modules['k_diffusion'] = package
utils = type(sys)('k_diffusion.utils'); utils.append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
sys.modules['k_diffusion.utils'] = utils; package.utils = utils
from k_diffusion import sampling as K

SIZE = 48
def model(x, sigma, **_): return (0.3 * sigma[:, None] ** 2 + 0.25 * x) / (sigma[:, None] ** 2 + 0.25)
def noise(): return lambda a, b: torch.randn(1, SIZE)
sigmas = K.get_sigmas_karras(8, 0.03, 14.6)
out = {'sigmas': sigmas.tolist(), 'samplers': {}, 'spacings': {
    'karras': sigmas.tolist(),
    'exponential': K.get_sigmas_exponential(8, 0.03, 14.6).tolist(),
    'polyexponential': K.get_sigmas_polyexponential(8, 0.03, 14.6, rho=1.7).tolist()}}
for name, fn, kw in [
    ('euler', K.sample_euler, {}), ('euler churn', K.sample_euler, dict(s_churn=3., s_noise=1.003)),
    ('euler ancestral', K.sample_euler_ancestral, dict(noise_sampler=noise())), ('euler ancestral 0.5', K.sample_euler_ancestral, dict(noise_sampler=noise(), eta=.5)),
    ('heun', K.sample_heun, {}), ('heun churn', K.sample_heun, dict(s_churn=3.)),
    ('dpm2', K.sample_dpm_2, {}), ('dpm2 ancestral', K.sample_dpm_2_ancestral, dict(noise_sampler=noise())), ('lms', K.sample_lms, {}),
    ('dpmpp 2s ancestral', K.sample_dpmpp_2s_ancestral, dict(noise_sampler=noise())), ('dpmpp sde', K.sample_dpmpp_sde, dict(noise_sampler=noise())), ('dpmpp 2m', K.sample_dpmpp_2m, {}),
    ('dpmpp 2m sde', K.sample_dpmpp_2m_sde, dict(noise_sampler=noise())), ('dpmpp 2m sde heun', K.sample_dpmpp_2m_sde, dict(noise_sampler=noise(), solver_type='heun', eta=.7)),
    ('dpmpp 3m sde', K.sample_dpmpp_3m_sde, dict(noise_sampler=noise()))]:
    torch.manual_seed(0)
    x = ((torch.arange(SIZE) / 24 - 1) * sigmas[0])[None]
    steps = []
    end = fn(model, x, sigmas, disable=True, callback=lambda d: steps.append(d['x'].abs().mean().item()), **kw)
    out['samplers'][name] = {'mean_before_step': steps, 'final': end[0].tolist()}
# The same samplers with noise from a Brownian path, and the path's noise itself for intervals in no order.
def brownian(x, seed=42): return K.BrownianTreeNoiseSampler(x, sigmas[sigmas > 0].min(), sigmas.max(), seed=[seed])
for name, fn, kw in [('dpmpp sde', K.sample_dpmpp_sde, {}), ('dpmpp 2m sde', K.sample_dpmpp_2m_sde, {}), ('dpmpp 3m sde', K.sample_dpmpp_3m_sde, {})]:
    x = ((torch.arange(SIZE) / 24 - 1) * sigmas[0])[None]
    out['samplers'][name + ' brownian'] = {'mean_before_step': [], 'final': fn(model, x, sigmas, disable=True, noise_sampler=brownian(x), **kw)[0].tolist()}
out['brownian'] = []
for size, seed in [(48, 42), (48, 0), (5, 2**32 + 7), (37, 2**63 - 5)]:
    draw = brownian(torch.zeros(1, size), seed)
    for a, b in [(14.6, 7.3), (14.6, 10.1), (0.5, 0.03), (7.3, 3.337), (0.031, 0.03), (1.0078125, 0.0078125 * 100), (3.337, 14.6)]:
        out['brownian'].append(dict(size=size, seed=str(seed), interval=[a, b], noise=draw(torch.tensor(a), torch.tensor(b))[0][:6].tolist()))
json.dump(out, open(sys.argv[1], 'w'), separators=(',', ':'))
