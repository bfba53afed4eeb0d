"""What there is to draw: colours, objects, and the worlds that choose among them.

An object's name is the everyday word for its character, in most cases that of the Unicode CLDR; the drawing is the
font's (Noto Color Emoji, SIL Open Font License 1.1).
"""

COLOURS = {
    'red': (214, 40, 40), 'orange': (247, 127, 0), 'yellow': (252, 211, 42), 'green': (56, 158, 62),
    'blue': (40, 92, 214), 'purple': (126, 62, 190), 'pink': (244, 130, 178), 'brown': (124, 80, 48),
    'black': (28, 28, 30), 'white': (245, 245, 245), 'gray': (136, 138, 142), 'teal': (24, 160, 160),
}

# Objects that stay themselves in any colour. FIXED ones are known by theirs (a green lion is none).
RECOLOURABLE = {
    'cat': '🐈', 'dog': '🐕', 'rabbit': '🐇', 'horse': '🐎', 'pig': '🐖', 'elephant': '🐘', 'mouse': '🐁', 'bear': '🐻',
    'frog': '🐸', 'turtle': '🐢', 'snake': '🐍', 'fish': '🐟', 'shark': '🦈', 'whale': '🐋', 'dolphin': '🐬',
    'octopus': '🐙', 'crab': '🦀', 'butterfly': '🦋', 'snail': '🐌', 'bird': '🐦', 'owl': '🦉', 'dragon': '🐉',
    'dinosaur': '🦕', 'car': '🚗', 'taxi': '🚕', 'bus': '🚌', 'truck': '🚚', 'tractor': '🚜', 'bicycle': '🚲',
    'motorcycle': '🏍️', 'train': '🚂', 'airplane': '✈️', 'helicopter': '🚁', 'rocket': '🚀', 'boat': '⛵', 'ship': '🚢',
    'flying saucer': '🛸', 'robot': '🤖', 'alien': '👽', 'ghost': '👻', 'house': '🏠', 'castle': '🏰', 'tent': '⛺',
    'tree': '🌳', 'pine tree': '🌲', 'cactus': '🌵', 'flower': '🌸', 'rose': '🌹', 'tulip': '🌷', 'mushroom': '🍄',
    'apple': '🍎', 'cherry': '🍒', 'strawberry': '🍓', 'grapes': '🍇', 'cake': '🎂', 'donut': '🍩', 'ice cream': '🍦',
    'candy': '🍬', 'cup': '☕', 'teapot': '🫖', 'bottle': '🍾', 'book': '📕', 'pencil': '✏️', 'clock': '⏰', 'key': '🔑',
    'lamp': '💡', 'bell': '🔔', 'gift': '🎁', 'balloon': '🎈', 'umbrella': '☂️', 'guitar': '🎸', 'trumpet': '🎺',
    'violin': '🎻', 'drum': '🥁', 'camera': '📷', 'television': '📺', 'phone': '☎️', 'basketball': '🏀', 'crown': '👑',
    'hat': '🎩', 'shoe': '👟', 'dress': '👗', 'shirt': '👕', 'backpack': '🎒', 'heart': '❤️', 'star': '⭐', 'moon': '🌙',
    'sun': '☀️', 'fire': '🔥', 'diamond': '💎', 'sword': '🗡️', 'anchor': '⚓', 'hammer': '🔨',
}
FIXED = {
    'cow': '🐄', 'sheep': '🐑', 'tiger': '🐅', 'lion': '🦁', 'panda': '🐼', 'fox': '🦊', 'wolf': '🐺', 'monkey': '🐒',
    'bee': '🐝', 'ladybug': '🐞', 'duck': '🦆', 'chicken': '🐔', 'penguin': '🐧', 'parrot': '🦜', 'unicorn': '🦄',
    'skull': '💀', 'palm tree': '🌴', 'sunflower': '🌻', 'banana': '🍌', 'orange fruit': '🍊', 'lemon': '🍋',
    'pear': '🍐', 'peach': '🍑', 'watermelon': '🍉', 'pineapple': '🍍', 'carrot': '🥕', 'corn': '🌽', 'pizza': '🍕',
    'hamburger': '🍔', 'cookie': '🍪', 'bread': '🍞', 'cheese': '🧀', 'egg': '🥚', 'piano': '🎹', 'computer': '💻',
    'ball': '⚽', 'cloud': '☁️', 'rainbow': '🌈', 'snowman': '⛄',
}
OBJECTS = {**RECOLOURABLE, **FIXED}

CORE = (
    'cat dog rabbit horse pig elephant fox lion bear monkey frog turtle fish whale octopus butterfly bird owl penguin '
    'dragon dinosaur unicorn car bus truck bicycle train airplane rocket boat robot alien ghost house castle tree cactus '
    'flower mushroom apple banana pizza cake cup balloon umbrella guitar ball heart star'
).split()

IRREGULAR = {
    'mouse': 'mice', 'fish': 'fish', 'sheep': 'sheep', 'wolf': 'wolves', 'butterfly': 'butterflies', 'grapes': 'grapes',
    'cherry': 'cherries', 'strawberry': 'strawberries', 'candy': 'candies', 'octopus': 'octopuses', 'bus': 'buses',
    'fox': 'foxes', 'dress': 'dresses', 'peach': 'peaches',
}


def plural(name):
    return IRREGULAR.get(name, name + 's')
