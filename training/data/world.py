"""Worlds: which objects, scenes, styles and kinds of picture a training sees. `core` is small enough to be learned on two
processor cores; `wide` is for a GPU. The world that a checkpoint knows stands in its model card."""
from dataclasses import dataclass

from .objects import CORE, OBJECTS
from .scenes import SCENES
from .styles import CORE_STYLES, STYLES


@dataclass(frozen=True)
class World:
    objects: tuple[str, ...]
    scenes: tuple[str, ...]
    styles: tuple[str, ...]
    pairs: float  # share of pictures with two different objects
    weather: float  # share of outdoor scenes with rain, snow, fog or a storm
    mirrored: bool  # objects may look either way


CORE_SCENES = (
    'on a road', 'on the grass', 'in the sky', 'under the sea', 'at night', 'in the desert', 'in the snow', 'in space',
    'at sunset', 'on a table', 'in a forest',
)
WORLDS = {
    'core': World(tuple(CORE), CORE_SCENES, tuple(CORE_STYLES), pairs=0, weather=0, mirrored=False),
    'wide': World(tuple(OBJECTS), tuple(SCENES), tuple(STYLES), pairs=0.2, weather=0.15, mirrored=True),
}
