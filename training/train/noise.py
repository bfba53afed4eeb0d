"""The noise that pictures are trained under: Stable Diffusion's scaled-linear schedule, and v (Salimans and Ho 2022),
which is the picture itself where noise is high, so that words reach shapes early."""
import torch
from diffusers import DDIMScheduler

from .common import DEVICE

STEPS = 1000


def schedule():
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule='scaled_linear', num_train_timesteps=STEPS, clip_sample=False,
        set_alpha_to_one=False, steps_offset=1, prediction_type='v_prediction',
    )


class Noise:
    def __init__(self):
        self.alphas = schedule().alphas_cumprod.to(DEVICE)

    def levels(self, t):
        """What is left of the picture, and what there is of noise: two [n, 1, 1, 1]."""
        a = self.alphas[t].view(-1, 1, 1, 1)
        return a.sqrt(), (1 - a).sqrt()

    def times(self, n):
        return torch.randint(0, STEPS, (n,), device=DEVICE)

    def add(self, z, t, noise):
        """Noisy latents, and the v that a U-Net should say of them."""
        signal, rest = self.levels(t)
        return (signal * z + rest * noise).contiguous(memory_format=torch.channels_last), signal * noise - rest * z

    def split(self, v, noisy, t):
        """The picture and the noise that v says are in noisy latents."""
        signal, rest = self.levels(t)
        return signal * noisy - rest * v, rest * noisy + signal * v

    def weights(self, t, gamma=5):
        """min-SNR (Hang et al. 2023, arXiv 2303.09556) for v: one up to an SNR of gamma, then falling."""
        snr = self.alphas[t] / (1 - self.alphas[t])
        return (snr + 1).clamp(max=gamma + 1) / (snr + 1)

    def loss(self, said, v, t):
        """The weighted loss, and the plain one to look at."""
        each = ((said.float() - v) ** 2).mean((1, 2, 3))
        return (each * self.weights(t)).mean(), each.mean().detach()
