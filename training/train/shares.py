"""Which pictures a training takes: at random, or some styles more often than they were drawn."""
import json

import numpy as np


def add_share(parser):
    parser.add_argument('--share', action='append', default=[], metavar='STYLE=0.1',
                        help='how much of what is taken is in a style; may be given for several')


def chances(data, shares):
    """How often each of DATA's pictures is taken: [n] that sums to one. Styles without a share keep their proportions."""
    with open(data + '.json') as file:
        styles = np.array([plan['style'] for plan in json.load(file)])
    asked = {style: float(share) for style, share in (s.split('=') for s in shares)}
    others = ~np.isin(styles, list(asked))
    chance = np.where(others, (1 - sum(asked.values())) / others.sum(), 0)
    for style, share in asked.items():
        if style not in styles:
            raise SystemExit(f'--share: no picture of {data} is in the style {style!r}; there are {sorted(set(styles))}')
        chance[styles == style] = share / (styles == style).sum()
    return chance / chance.sum()
