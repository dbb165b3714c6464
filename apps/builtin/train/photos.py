"""The photographs: where they come from, which are held out, how a low-resolution one is made.

Every photograph comes from a package of Debian 12 and is free by Debian's own review; none is stored here. The
packages are unpacked, not installed, so fetching them changes nothing on the machine.
"""

import subprocess

import numpy as np
from PIL import Image

# Package -> (why it is used, photographs to learn from). Drawings and renderings in the same packages are left
# out: their flat areas and perfect edges are not what a camera sees.
TRAINING = {
    "lomiri-wallpapers-16.04": (
        "users' photographs, CC0 / CC-BY / CC-BY-SA: animals, mountains, indoors, textures",
        ["Bridge_by_Sander_Klootwijk", "Dragonfly_by_Bolly", "Picture_0B_by_freespace", "Picture_1A_by_freespace",
         "Wine_by_Jakkub_Mede", "aitzgorri_by_Aitzol_Berasategi", "free_by_Peter_Nerlich",
         "friends_by_Aitzol_Berasategi", "greentock_by_Peter_Nerlich", "picosdeeuropa_by_Aitzol_Berasategi",
         "seeding_by_Clements_Engelhardt", "sunset_by_Aitzol_Berasategi"]),
    "lomiri-wallpapers-20.04": (
        "one sharp photograph of bark and a bird, CC-BY-SA",
        ["Kleiber_by_Lukas_Baubkus"]),
    "mate-backgrounds": (
        "nature in close-up, GPL-2+: grass, petals, drops, wood",
        ["Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm",
         "TwoWings", "Wood", "YellowFlower"]),
    "plasma-workspace-wallpapers": (
        "the photographs among KDE's wallpapers, GPL-2+: architecture, forest, planks, leaves",
        ["BytheWater", "ColdRipple", "ColorfulCups", "FallenLeaf", "Grey", "Kite", "OneStandsOut", "Path",
         "summer_1am"]),
    "palapeli-data": (
        "pictures for jigsaw puzzles, public domain / GFDL: a castle, a bridge, fruit, a chameleon",
        ["castle-maintenon", "cincinnati-bridge", "citrus-fruits", "panther-chameleon-female"]),
}

# Never trained on: the four colour photographs of scikit-image that are public domain or CC0, and one
# photograph from each of the three large sources above.
HELD_OUT = {
    "python3-skimage": ["astronaut", "chelsea", "coffee", "rocket"],
    "lomiri-wallpapers-16.04": ["life_by_Aitzol_Berasategi"],
    "plasma-workspace-wallpapers": ["EveningGlow"],
    "palapeli-data": ["european-honey-bee"],
}

# A camera's full-size file is soft: its pixels hold less detail than their number promises. Reduced to these long
# sides a photograph is sharp, as the pictures people want enlarged are.
TRAINING_SIDES = (1600, 800)
HELD_OUT_SIDE = 800


def fetch(folder):
    """Downloads and unpacks the packages that `folder` lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in sorted(set(TRAINING) | set(HELD_OUT)):
        if (folder / package).exists():
            continue
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        deb = next(folder.glob(package + "_*.deb"))
        partial = folder / (package + ".partial")
        subprocess.run(["dpkg-deb", "-x", deb, partial], check=True)
        partial.rename(folder / package)
        deb.unlink()


def find(folder, package, name):
    """The photograph's largest file; KDE keeps wallpapers as <name>/contents/images/<size>.jpg."""
    files = [f for f in (folder / package).rglob("*") if f.suffix in (".jpg", ".png") and not f.is_symlink()
             and (f.stem == name or f"/{name}/contents/images/" in str(f))]
    if not files:
        raise FileNotFoundError(f"no photograph {name} in {folder / package}: run `fetch` first")
    return max(files, key=lambda f: f.stat().st_size)


def reduced(photo, long_side):
    """At most `long_side` pixels wide and high, both even; never enlarged."""
    scale = min(1, long_side / max(photo.size))
    width, height = (round(side * scale) // 2 * 2 for side in photo.size)
    if scale < 1:
        return photo.resize((width, height), Image.BICUBIC)
    return photo.crop((0, 0, width, height))


def halved(photo):
    """The low-resolution photograph, for training and for evaluation: Pillow's bicubic filter widens with the
    reduction, so it is antialiased."""
    return photo.resize((photo.width // 2, photo.height // 2), Image.BICUBIC)


def training_pairs(folder):
    """[(low, high)] as uint8 arrays [H,W,3]."""
    pairs = []
    for package, (_, names) in TRAINING.items():
        for name in names:
            photo = Image.open(find(folder, package, name)).convert("RGB")
            sizes = {reduced(photo, side).size: side for side in TRAINING_SIDES}
            for side in sizes.values():
                high = reduced(photo, side)
                pairs.append((np.asarray(halved(high)), np.asarray(high)))
    return pairs


def held_out(folder):
    """Yields (name, low, high) as pictures."""
    for package, names in HELD_OUT.items():
        for name in names:
            high = reduced(Image.open(find(folder, package, name)).convert("RGB"), HELD_OUT_SIDE)
            yield name, halved(high), high
