"""Guided outputs from diffusers' guiders and torch. usage: make_guidance.py OUT.json     needs torch and diffusers 0.42"""
import json, sys, torch
from diffusers.guiders import AdaptiveProjectedGuidance, ClassifierFreeGuidance, ClassifierFreeZeroStarGuidance

shape, steps = (1, 4, 2, 3), 3
draw = torch.Generator().manual_seed(4)
randn = lambda: torch.randn(shape, generator=draw)
x, positive, second, negative = ([randn() for _ in range(steps)] for _ in range(4))
# The outputs for two prompts are similar.
positive, second = ([.5 * a + b for a, b in zip(p, negative)] for p in (positive, second))
sigmas = [.995, .7, .3]
alphas = [(1 - s * s) ** .5 for s in sigmas]


def run(guider):
    out = []
    for i in range(steps):
        guider.set_state(step=i, num_inference_steps=steps, timestep=None)
        guider.prepare_inputs({})
        out.append(guider.forward(positive[i], negative[i]).pred)
    return out


# diffusers' examples/community/composable_stable_diffusion.py, where the weights include the scale.
composed = [n + 5 * (.7 * (p - n) - .4 * (q - n)) for p, q, n in zip(positive, second, negative)]


def apg_paper(prediction, scale, eta, threshold, momentum):
    """arXiv 2410.02416, algorithm 1, on x0."""
    out, average = [], 0
    for x_, p, n, a, s in zip(x, positive, negative, alphas, sigmas):
        to = {'epsilon': lambda o: (x_ - s * o) / a, 'v': lambda o: a * x_ - s * o, 'sample': lambda o: o}[prediction]
        back = {'epsilon': lambda o: (x_ - a * o) / s, 'v': lambda o: (a * x_ - o) / s, 'sample': lambda o: o}[prediction]
        p, n = to(p.double()), to(n.double())
        average = diff = (p - n) + momentum * average
        diff = diff * min(1, threshold / diff.norm())
        unit = p / p.norm()
        parallel = (diff * unit).sum() * unit
        out.append(back(p + (scale - 1) * (diff - parallel + eta * parallel)).float())
    return out


flat = lambda many: [t.flatten().tolist() for t in many]
json.dump(dict(
    alphas=alphas, sigmas=sigmas, x=flat(x), positive=flat(positive), second=flat(second), negative=flat(negative),
    outputs={
        'cfg': flat(run(ClassifierFreeGuidance(guidance_scale=7.5))),
        'cfg rescaled': flat(run(ClassifierFreeGuidance(guidance_scale=7.5, guidance_rescale=.7))),
        'composed': flat(composed),
        'zero star': flat(run(ClassifierFreeZeroStarGuidance(guidance_scale=7.5, zero_init_steps=0))),
        'zero star, zero-init': flat(run(ClassifierFreeZeroStarGuidance(guidance_scale=7.5, zero_init_steps=1))),
        'zero star rescaled': flat(run(ClassifierFreeZeroStarGuidance(guidance_scale=7.5, zero_init_steps=0, guidance_rescale=.7))),
        'apg diffusers': flat(run(AdaptiveProjectedGuidance(guidance_scale=7.5, adaptive_projected_guidance_momentum=-.5,
                                                           adaptive_projected_guidance_rescale=2.5, eta=.25))),
        'apg diffusers, defaults': flat(run(AdaptiveProjectedGuidance(guidance_scale=7.5))),
        **{f'apg paper, {p}': flat(apg_paper(p, 7.5, .25, 2.5, -.5)) for p in ('epsilon', 'v', 'sample')},
    }), open(sys.argv[1], 'w'), separators=(',', ':'))
