"""Scenes: each function draws one and says where an object's feet stand, or None where it may float."""
import numpy as np
from PIL import Image, ImageDraw

SIDE = 128


def gradient(top, bottom):
    t = np.linspace(0, 1, SIDE)[:, None, None]
    rows = np.array(top) * (1 - t) + np.array(bottom) * t
    return Image.fromarray(np.broadcast_to(rows, (SIDE, SIDE, 3)).astype(np.uint8))


def near(colour, r, by=14):
    """The colour, a little off."""
    return tuple(int(np.clip(v + r.randint(-by, by), 0, 255)) for v in colour)


def road(r):
    image = gradient(near((150, 205, 245), r), near((215, 235, 250), r))
    d = ImageDraw.Draw(image)
    d.rectangle([0, 66, SIDE, SIDE], fill=near((92, 160, 72), r, 10))
    d.rectangle([0, 76, SIDE, 120], fill=near((70, 70, 76), r, 8))
    for x in range(r.randint(0, 31) - 32, SIDE, 32):
        d.rectangle([x, 96, x + 16, 99], fill=(240, 236, 200))
    return image, 102


def grass(r):
    image = gradient(near((130, 200, 245), r), near((220, 240, 250), r))
    d = ImageDraw.Draw(image)
    d.ellipse([-60, 70, 190, 200], fill=near((96, 176, 70), r, 12))
    d.rectangle([0, 92, SIDE, SIDE], fill=near((86, 166, 62), r, 10))
    return image, 108


def sky(r):
    image = gradient(near((70, 150, 235), r), near((190, 225, 250), r))
    d = ImageDraw.Draw(image)
    for _ in range(r.randint(2, 4)):
        x, y, w = r.randint(-10, 110), r.randint(4, 110), r.randint(18, 34)
        for k in range(3):
            lift = w * 0.2 if k == 1 else 0
            d.ellipse([x + k * w * 0.4, y - lift, x + k * w * 0.4 + w * 0.7, y + w * 0.5], fill=(248, 250, 253))
    return image, None


def sea(r):
    image = gradient(near((40, 140, 205), r), near((8, 50, 110), r))
    d = ImageDraw.Draw(image)
    d.rectangle([0, 112, SIDE, SIDE], fill=near((214, 190, 130), r, 10))
    for _ in range(10):
        x, y, w = r.randint(0, SIDE), r.randint(0, 105), r.randint(2, 5)
        d.ellipse([x, y, x + w, y + w], outline=(190, 230, 250))
    for _ in range(4):
        x = r.randint(0, SIDE)
        d.line([(x, 114), (x - 4, 100), (x + 3, 88)], fill=(30, 140, 90), width=3)
    return image, None


def night(r):
    image = gradient(near((10, 14, 44), r, 6), near((36, 44, 96), r, 8))
    d = ImageDraw.Draw(image)
    for _ in range(30):
        d.point((r.randint(0, SIDE - 1), r.randint(0, 92)), fill=(255, 250, 210))
    x = r.randint(8, 96)
    d.ellipse([x, 8, x + 18, 26], fill=(250, 244, 200))
    d.rectangle([0, 100, SIDE, SIDE], fill=near((24, 44, 40), r, 6))
    return image, 112


def desert(r):
    image = gradient(near((250, 200, 120), r), near((255, 232, 180), r))
    d = ImageDraw.Draw(image)
    d.ellipse([-70, 78, 110, 190], fill=near((226, 178, 100), r, 8))
    d.ellipse([30, 88, 210, 210], fill=near((236, 190, 112), r, 8))
    d.rectangle([0, 110, SIDE, SIDE], fill=(234, 188, 110))
    return image, 114


def snow(r):
    image = gradient(near((170, 195, 220), r), near((225, 235, 245), r))
    d = ImageDraw.Draw(image)
    d.ellipse([-50, 86, 180, 200], fill=(246, 249, 253))
    d.rectangle([0, 106, SIDE, SIDE], fill=(246, 249, 253))
    for _ in range(40):
        x, y = r.randint(0, SIDE - 1), r.randint(0, SIDE - 1)
        d.ellipse([x, y, x + 2, y + 2], fill=(255, 255, 255))
    return image, 112


def space(r):
    image = gradient((6, 6, 18), near((22, 10, 44), r, 6))
    d = ImageDraw.Draw(image)
    for _ in range(60):
        c = r.randint(120, 255)
        d.point((r.randint(0, SIDE - 1), r.randint(0, SIDE - 1)), fill=(c, c, c))
    x, y, w = r.randint(-10, 110), r.randint(-10, 110), r.randint(22, 44)
    d.ellipse([x, y, x + w, y + w], fill=near(r.choice([(180, 110, 70), (90, 130, 190), (200, 170, 120)]), r))
    return image, None


def sunset(r):
    image = gradient(near((90, 50, 120), r), near((255, 150, 70), r))
    d = ImageDraw.Draw(image)
    x = r.randint(30, 80)
    d.ellipse([x, 66, x + 36, 102], fill=(255, 220, 110))
    d.rectangle([0, 98, SIDE, SIDE], fill=near((50, 40, 70), r, 8))
    return image, 112


def table(r):
    image = gradient(near((236, 222, 200), r), near((222, 204, 178), r))
    d = ImageDraw.Draw(image)
    d.rectangle([0, 88, SIDE, SIDE], fill=near((150, 98, 56), r, 12))
    for y in (98, 110, 120):
        d.line([(0, y), (SIDE, y)], fill=(128, 80, 44))
    return image, 106


def forest(r):
    image = gradient(near((120, 170, 130), r), near((190, 220, 180), r))
    d = ImageDraw.Draw(image)
    d.rectangle([0, 96, SIDE, SIDE], fill=near((70, 120, 56), r, 8))
    for x in sorted(r.randint(-10, 130) for _ in range(7)):
        h = r.randint(40, 66)
        d.rectangle([x - 3, 80, x + 3, 100], fill=(96, 66, 40))
        d.polygon([(x - 16, 88), (x + 16, 88), (x, 88 - h)], fill=near((36, 100, 56), r, 12))
    return image, 110


def beach(r):
    image = gradient(near((120, 200, 245), r), near((225, 242, 250), r))
    d = ImageDraw.Draw(image)
    d.rectangle([0, 62, SIDE, SIDE], fill=near((40, 140, 200), r, 10))
    d.polygon([(0, 96), (SIDE, 84), (SIDE, SIDE), (0, SIDE)], fill=near((236, 210, 150), r, 8))
    return image, 114


def city(r):
    image = gradient(near((160, 190, 220), r), near((225, 228, 235), r))
    d = ImageDraw.Draw(image)
    for x in range(-4, SIDE, 20):
        top = r.randint(20, 64)
        d.rectangle([x, top, x + 17, 100], fill=near((110, 116, 134), r, 16))
        for y in range(top + 6, 92, 10):
            for w in (x + 4, x + 10):
                d.rectangle([w, y, w + 3, y + 4], fill=(250, 236, 170))
    d.rectangle([0, 98, SIDE, SIDE], fill=near((120, 120, 124), r, 8))
    return image, 114


def mountains(r):
    image = gradient(near((120, 180, 235), r), near((220, 235, 248), r))
    d = ImageDraw.Draw(image)
    for x in (-10, 40, 88):
        peak = r.randint(18, 44)
        d.polygon([(x - 30, 96), (x + 60, 96), (x + 15, peak)], fill=near((120, 126, 140), r, 10))
        d.polygon([(x + 6, peak + 16), (x + 24, peak + 16), (x + 15, peak)], fill=(248, 250, 252))
    d.rectangle([0, 94, SIDE, SIDE], fill=near((96, 150, 84), r, 8))
    return image, 112


SCENES = {
    'on a road': road, 'on the grass': grass, 'in the sky': sky, 'under the sea': sea, 'at night': night,
    'in the desert': desert, 'in the snow': snow, 'in space': space, 'at sunset': sunset, 'on a table': table,
    'in a forest': forest, 'on a beach': beach, 'in the city': city, 'in the mountains': mountains,
}
OUTDOORS = ('on a road', 'on the grass', 'in the sky', 'in a forest', 'on a beach', 'in the city', 'in the mountains')
