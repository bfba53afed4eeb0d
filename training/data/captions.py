"""Captions: the words of a plan, put as people put them."""
import random

from .objects import plural

NUMBERS = {1: '', 2: 'two', 3: 'three'}
PLACES = {
    'on a road': ['on a road', 'on the road'], 'on the grass': ['on the grass', 'in a field'],
    'on a beach': ['on a beach', 'on the beach', 'at the beach'], 'in the city': ['in the city', 'in a city'],
}
SETTINGS = {
    'in space': 'space', 'in the desert': 'desert', 'in a forest': 'forest', 'at night': 'night', 'at sunset': 'sunset',
    'under the sea': 'the sea', 'in the snow': 'snow', 'in the sky': 'the sky', 'on a road': 'a road',
}
OPENINGS = ('a picture of ', 'an image of ', 'a drawing of ')


def with_article(phrase):
    return ('an ' if phrase[0] in 'aeiou' and not phrase.startswith('unicorn') else 'a ') + phrase


def words(thing, noun=None):
    return ' '.join(w for w in (thing.size, thing.colour, noun or thing.name) if w)


def subject(plan, r):
    first = plan.things[0]
    if len(plan.things) == 2:
        joined = {'next to': ['next to', 'beside'], 'on top of': ['on top of', 'on']}.get(plan.relation, [plan.relation])
        return f'{with_article(words(first))} {r.choice(joined)} {with_article(words(plan.things[1]))}'
    if plan.count > 1:
        return f'{NUMBERS[plan.count]} {words(first, plural(first.name))}'
    phrase = words(first)
    return r.choice([with_article(phrase), with_article(phrase), phrase, f'the {phrase}'])


def place(plan, r):
    """Where it is, and what joins that to the subject."""
    if plan.background:
        on = f'on {with_article(plan.background)} background'
        return r.choice([(' ', on), (' ', on), (', ', f'{plan.background} background')])
    if plan.scene:
        return ' ', r.choice(PLACES.get(plan.scene, [plan.scene]))
    return '', ''


def caption(plan):
    r = random.Random(plan.seed + 1)
    what = subject(plan, r) + (f' on the {plan.side}' if plan.side else '')
    between, where = place(plan, r)
    if plan.scene in SETTINGS and r.random() < 0.06:
        text = f'{SETTINGS[plan.scene]}, {what}'
    else:
        text = what + between + where
    if plan.weather:
        text += f', {plan.weather}' if r.random() < 0.3 else f' {plan.weather}'
    if plan.style == 'sci-fi style' or plan.style == 'comic book style':
        text += f', {plan.style}'
    elif plan.style:
        text = r.choice([f'{text}, {plan.style}', f'{plan.style} of {text}'])
    elif r.random() < 0.06:
        text = r.choice(OPENINGS) + text
    if r.random() < 0.25:
        text = text[0].upper() + text[1:]
    return text
