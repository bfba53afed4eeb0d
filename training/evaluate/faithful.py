"""Whether pictures show what their prompts ask for, by the classifier.

usage: python -m evaluate.faithful MODEL --out FILE.json [--count 1000] [--steps 20] [--guidance 5] [--split train]
Several steps or guidances give a row for each; steps vary at the first guidance, guidance at the first steps.
A head counts the prompts that ask for it: a colour, a place, a style; the colour only in styles that keep it.
"""
import argparse
from dataclasses import asdict

from train.classifier import HEADS, load_classifier, truth
from train.common import as_input, start

from .prompts import TRAINED, unseen
from .sample import Model, write_json


def asked(plan):
    """What the prompt asks for, by head."""
    want = truth(asdict(plan))
    if not plan.place:
        want['place'] = None
    if not plan.style:
        want['style'] = None
    return want


def score(classifier, pictures, plans):
    """Shares of what was asked for that the classifier finds: overall, by style, and by size for objects."""
    counts = {}
    for i in range(0, len(plans), 128):
        for plan, said in zip(plans[i : i + 128], classifier.name(as_input(pictures[i : i + 128]))):
            for head, want in asked(plan).items():
                if want is None:
                    continue
                keys = [head]
                if head == 'style':
                    keys.append(f'style, {plan.style}')
                if head == 'object':
                    size = plan.things[0].size or {1: 'middle', 2: 'two', 3: 'three'}[plan.count]
                    keys += [f"object, {plan.style or 'plain style'}", f'object, {size}']
                for key in keys:
                    right, of = counts.get(key, (0, 0))
                    counts[key] = (right + (said[head] == want), of + 1)
    return {k: {'share': round(right / of, 4), 'of': of} for k, (right, of) in sorted(counts.items())}


def summary(found):
    return ', '.join(f"{h} {100 * found[h]['share']:.1f}% of {found[h]['of']}" for h in HEADS if h in found)


def main():
    a = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    a.add_argument('model')
    a.add_argument('--out', required=True)
    a.add_argument('--classifier', default='classifier')
    a.add_argument('--count', type=int, default=1000)
    a.add_argument('--world', default='core')
    a.add_argument('--split', default='train', choices=['train', 'held-out'])
    a.add_argument('--lcm', help='a LoRA of latent consistency to draw with')
    a.add_argument('--steps', type=int, nargs='+', default=[20])
    a.add_argument('--guidance', type=float, nargs='+', default=[5.0])
    a.add_argument('--trained', type=int, default=TRAINED, help='seeds of training whose captions are left out')
    a = a.parse_args()
    start()
    plans, captions = zip(*unseen(a.count, a.world, a.split, a.trained))
    model, classifier, rows = Model(a.model, a.lcm), load_classifier(a.classifier), []
    settings = [(a.steps[0], g) for g in a.guidance] + [(s, a.guidance[0]) for s in a.steps[1:]]
    for steps, guidance in settings:
        pictures = model.draw(captions, range(len(captions)), steps, guidance)
        found = score(classifier, pictures, plans)
        rows.append({'split': a.split, 'prompts': a.count, 'steps': steps, 'guidance': guidance, 'found': found})
        write_json(a.out, rows)
        print(f'{a.split}, {steps} steps, guidance {guidance}: {summary(found)}', flush=True)


if __name__ == '__main__':
    main()
