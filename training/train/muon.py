"""Muon (Jordan 2024; its rate as in Liu et al. 2025, arXiv 2502.16982): steps along the momentum of a matrix, made orthogonal,
so that its weak directions move as far as its strong ones. A convolution is the matrix [out, in x height x width]."""
import torch

from .parallel import RANK, WORLD, add_up

SMALLEST = 16  # rows and columns: thinner ones are left to AdamW
MOST_ROWS = 2000  # as are embeddings, of which a step touches few rows


def orthogonal(x, steps=5):
    """A matrix of the same directions with singular values near one, by Newton and Schulz's iteration of fifth order."""
    if x.shape[0] > x.shape[1]:
        return orthogonal(x.T, steps).T
    x = x.bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        y = x @ x.T
        x = 3.4445 * x + (-4.7750 * y + 2.0315 * y @ y) @ x
    return x.float()


def is_matrix(p):
    return p.ndim >= 2 and SMALLEST <= len(p) < MOST_ROWS and p[0].numel() >= SMALLEST


class Muon(torch.optim.Optimizer):
    """Muon for matrices, AdamW for all else, at one rate: updates of a matrix are as large as AdamW's would be."""

    def __init__(self, params, lr, betas, weight_decay, momentum=0.95):
        params = list(params)
        self.rest = torch.optim.AdamW(
            [p for p in params if not is_matrix(p)], lr=lr, betas=betas, weight_decay=weight_decay, fused=True)
        super().__init__([p for p in params if is_matrix(p)], dict(lr=lr, weight_decay=weight_decay, momentum=momentum))

    @torch.no_grad()
    def step(self):
        group, = self.param_groups
        rate = group['lr']
        matrices = sorted((p for p in group['params'] if p.grad is not None), key=lambda p: -p.numel())
        directions = []  # each process makes some of them
        for i, p in enumerate(matrices):
            if p not in self.state:
                self.state[p]['momentum'] = torch.zeros_like(p)
            momentum = self.state[p]['momentum']
            momentum.lerp_(p.grad, 1 - group['momentum'])
            if i % WORLD == RANK:
                directions.append(orthogonal(p.grad.lerp(momentum, group['momentum']).flatten(1)).view_as(p))
            else:
                directions.append(torch.zeros_like(p))
        add_up(directions)
        for p, direction in zip(matrices, directions):
            p.mul_(1 - rate * group['weight_decay'])
            p.add_(direction, alpha=-rate * 0.2 * max(len(p), p[0].numel()) ** 0.5)
        self.rest.param_groups[0]['lr'] = rate
        self.rest.step()

    def zero_grad(self):
        super().zero_grad()
        self.rest.zero_grad()

    def state_dict(self):
        return {'matrices': super().state_dict(), 'rest': self.rest.state_dict()}

    def load_state_dict(self, state):
        super().load_state_dict(state['matrices'])
        self.rest.load_state_dict(state['rest'])
