"""One small network that names what a drawn picture shows: object, its colour, scene or background, style.

usage: python -m train.classifier DATA --unseen DATA --out DIR [--world core] [--minutes 10]
reads DATA.npy and DATA.json; writes DIR/classifier.safetensors (float16) and DIR/classifier.json: its labels, and its
accuracy on the unseen drawn pictures, by style and size.
"""
import argparse
import copy
import json

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from data.objects import COLOURS
from data.styles import KEEPS_COLOUR
from data.world import WORLDS

from .common import DEVICE, as_input, autocast, start
from .loop import Loop, add_options

HEADS = ('object', 'colour', 'place', 'style')
NOISE = 0.08  # added at most: drawn pictures are cleaner than a model's


def labels_of(world):
    world = WORLDS[world]
    places = [*world.scenes, *(f'{c} background' for c in COLOURS)]
    return {'object': list(world.objects), 'colour': list(COLOURS), 'place': places, 'style': ['', *world.styles]}


def truth(plan):
    """What a classifier should say of a plan's picture: by head, or None where the picture does not tell."""
    thing = plan['things'][0]
    keeps = plan['style'] in KEEPS_COLOUR
    background = f"{plan['background'] or 'white'} background"  # where none was asked for, it is white
    return {
        'object': thing['name'] if len(plan['things']) == 1 else None,
        'colour': thing['colour'] if thing['colour'] and keeps and len(plan['things']) == 1 else None,
        'place': plan['scene'] or (background if keeps else None),
        'style': plan['style'],
    }


def block(ins, outs, stride=1):
    return nn.Conv2d(ins, outs, 3, stride, 1), nn.GroupNorm(8, outs), nn.ReLU()


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


class Classifier(nn.Module):
    """[n, 3, 128, 128] in [-1, 1] to logits by head."""

    def __init__(self, labels, widths=(48, 96, 128, 128)):
        super().__init__()
        layers = [nn.PixelUnshuffle(2)]
        for ins, outs in zip((12, *widths), widths):
            layers += [*block(ins, outs, stride=2), Residual(*block(outs, outs))]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        self.heads = nn.ModuleDict({k: nn.Linear(widths[-1] * 16, len(v)) for k, v in labels.items()})
        self.labels = labels

    def forward(self, x):
        x = self.layers(x)
        return {k: head(x) for k, head in self.heads.items()}

    @torch.no_grad()
    def name(self, x):
        """The labels that it gives each picture."""
        said = {k: v.argmax(1).tolist() for k, v in self(x).items()}
        return [{k: self.labels[k][said[k][i]] for k in HEADS} for i in range(len(x))]


def load_classifier(folder):
    with open(folder + '/classifier.json') as file:
        labels = json.load(file)['labels']
    model = Classifier(labels)
    model.load_state_dict({k: v.float() for k, v in load_file(folder + '/classifier.safetensors').items()})
    return model.eval().to(DEVICE)


def targets(plans, labels):
    """Indices by head, -100 where there is nothing to say."""
    rows = [truth(p) for p in plans]
    return {k: torch.tensor([-100 if r[k] is None else labels[k].index(r[k]) for r in rows], device=DEVICE) for k in HEADS}


def accuracy(model, pictures, plans):
    """Shares that are right: by head and style, and objects and colours of plain style by size and count."""
    counts = {}
    for i in range(0, len(plans), 256):
        some = plans[i : i + 256]
        for plan, said in zip(some, model.name(as_input(pictures[i : i + 256]))):
            size = plan['things'][0]['size'] or {1: 'middle', 2: 'two', 3: 'three'}[plan['count']]
            for head, want in truth(plan).items():
                if want is None:
                    continue
                keys = [f"{head}, {plan['style'] or 'plain style'}"]
                if not plan['style'] and head in ('object', 'colour'):
                    keys.append(f'{head}, plain style, {size}')
                for key in keys:
                    right, of = counts.get(key, (0, 0))
                    counts[key] = (right + (said[head] == want), of + 1)
    return {k: {'accuracy': round(right / of, 4), 'of': of} for k, (right, of) in sorted(counts.items())}


def read(data):
    with open(data + '.json') as file:
        return np.load(data + '.npy', mmap_mode='r'), json.load(file)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('data')
    a.add_argument('--unseen', required=True, help='data that it is measured on')
    a.add_argument('--world', default='core')
    add_options(a, minutes=10, lr=2e-3, batch=64)
    a = a.parse_args()
    start(3)
    labels = labels_of(a.world)
    pictures, plans = read(a.data)
    want, unseen = targets(plans, labels), read(a.unseen)

    def export(average):
        model = copy.deepcopy(average).half().float()
        save_file({k: v.half().contiguous() for k, v in model.state_dict().items()}, a.out + '/classifier.safetensors')
        with open(a.out + '/classifier.json', 'w') as file:
            json.dump({'world': a.world, 'labels': labels, 'unseen': accuracy(model, *unseen)}, file, indent=1)
            file.write('\n')

    model = Classifier(labels).to(DEVICE, memory_format=torch.channels_last)
    loop = Loop(a, [model], export)
    run = loop.compiled(model)
    for _ in loop:
        i = np.sort(np.random.randint(0, len(plans), a.batch))
        x = as_input(pictures[i])
        x = x + NOISE * torch.rand(len(x), 1, 1, 1, device=DEVICE) * torch.randn_like(x)
        with autocast():
            said = run(x)
        at = torch.from_numpy(i).to(DEVICE)
        loss = sum(F.cross_entropy(said[k].float(), want[k][at], label_smoothing=0.02) for k in HEADS)
        loop.update(loss, loss.detach())
    with open(a.out + '/classifier.json') as file:
        for key, value in json.load(file)['unseen'].items():
            print(f"{key:40} {100 * value['accuracy']:6.2f}% of {value['of']}")


if __name__ == '__main__':
    main()
