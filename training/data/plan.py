"""What a picture shows, chosen by seed: a `Plan` is all that its drawing and its caption go by."""
import hashlib
import json
import random
from dataclasses import dataclass, replace

from .objects import COLOURS, RECOLOURABLE
from .scenes import OUTDOORS
from .weather import WEATHER
from .world import WORLDS

RELATIONS = ('and', 'next to', 'on top of', 'above')
HELD_OUT = 20  # one in so many combinations of object, colour and place is never trained on


@dataclass(frozen=True)
class Thing:
    name: str
    colour: str = ''  # '' for the object's own
    size: str = ''  # 'small', 'big' or ''


@dataclass(frozen=True)
class Plan:
    seed: int
    things: tuple[Thing, ...]  # one; or two that stand in a relation
    relation: str = ''
    count: int = 1  # of the one thing
    side: str = ''  # 'left', 'right' or ''
    scene: str = ''  # one of SCENES, or ''
    background: str = ''  # one of COLOURS, where there is no scene; '' for white
    weather: str = ''
    style: str = ''
    mirrored: bool = False

    @property
    def place(self):
        return self.scene or self.background


def read_plans(data):
    """The plans of a set of pictures, by its DATA.json."""
    with open(data + '.json') as file:
        entries = json.load(file)
    return [Plan(**{**entry, 'things': tuple(Thing(**thing) for thing in entry['things'])}) for entry in entries]


def held_out(plan):
    """Whether the picture shows a combination that is kept for evaluation. It depends on the words alone."""
    return any(
        hashlib.blake2b(f'{t.name}/{t.colour}/{plan.place}'.encode(), digest_size=4).digest()[0] % HELD_OUT == 0
        for t in plan.things
        if t.colour and plan.place
    )


def choose_thing(r, world, colourful=0.55):
    name = r.choice(world.objects)
    colour = r.choice(list(COLOURS)) if name in RECOLOURABLE and r.random() < colourful else ''
    return Thing(name, colour)


def draw_lots(seed, world):
    r = random.Random(seed)
    things = (choose_thing(r, world),)
    plan = Plan(seed, things, mirrored=world.mirrored and r.random() < 0.5)
    if r.random() < world.pairs:
        other = choose_thing(r, world)
        while other.name == things[0].name:
            other = choose_thing(r, world)
        plan = replace(plan, things=(*things, other), relation=r.choice(RELATIONS))
    else:
        count = r.choices([1, 2, 3], [0.86, 0.09, 0.05])[0]
        size = r.choices(['', 'big', 'small'], [0.7, 0.15, 0.15])[0] if count == 1 else ''
        side = r.choice(['left', 'right']) if count == 1 and size != 'big' and r.random() < 0.18 else ''
        plan = replace(plan, things=(replace(things[0], size=size),), count=count, side=side)
    u = r.random()
    if u < 0.34:
        plan = replace(plan, background=r.choice([c for c in COLOURS if c not in {t.colour for t in plan.things}]))
    elif u < 0.88:
        plan = replace(plan, scene=r.choice(world.scenes))
        if plan.scene in OUTDOORS and r.random() < world.weather:
            plan = replace(plan, weather=r.choice(list(WEATHER)))
    if r.random() < 0.22:
        plan = replace(plan, style=r.choice(world.styles))
    return plan


def choose(seed, world='core', split='train'):
    """The plan of a seed. Split 'train' leaves the held-out combinations out, 'held-out' gives nothing else."""
    lots, step = seed, 1 << 40
    while held_out(plan := draw_lots(lots, WORLDS[world])) != (split == 'held-out'):
        lots += step
    return plan
