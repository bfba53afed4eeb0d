"""Prompts that no training has seen: plans of other seeds, less the captions that a training set happens to share."""
from data.captions import caption
from data.plan import choose

FIRST = {'train': 10_000_000, 'held-out': 20_000_000}
TRAINED = 32_000  # seeds from 0 whose captions are left out


def unseen(count, world='core', split='train', trained=TRAINED):
    """[(plan, caption)]: split 'train' has the kinds of picture that were trained, 'held-out' the other combinations."""
    known = {caption(choose(seed, world)).lower() for seed in range(trained)} if split == 'train' else set()
    found, seed = [], FIRST[split]
    while len(found) < count:
        plan = choose(seed, world, split)
        words = caption(plan)
        if words.lower() not in known:
            known.add(words.lower())
            found.append((plan, words))
        seed += 1
    return found
