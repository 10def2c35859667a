"""Draw the pictures of docs/portraits.md: contact sheets, hair styles, switches and dials."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from portraits import DIALS, Person
from portraits.people.traits import HAIR_STYLES, HATS, NECKLINES
from vaelib.plots import show_faces, show_rows

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "portraits"
SWITCHES = {
    "Eyeglasses": True,
    "Smiling": True,
    "Blond_Hair": True,
    "Black_Hair": True,
    "Bangs": True,
    "Bald": True,
    "Wearing_Hat": True,
    "No_Beard": False,
    "Young": False,
    "Male": None,
}
"""The attributes in the picture of switches, and their new value; None inverts it."""


def main() -> None:
    """Draw all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    sheet("people-64", 64, rows=8, columns=16, first=0)
    sheet("people-192", 192, rows=4, columns=6, first=128)
    draw_styles()
    draw_switches()
    draw_dials()


def sheet(name: str, size: int, rows: int, columns: int, first: int) -> None:
    """Draw people of the data set, from number `first`, side by side."""
    people = [Person.sample(0, first + i).render(size) for i in range(rows * columns)]
    grid = np.array(people).reshape(rows, columns, size, size, 3)
    _save(name, grid.swapaxes(1, 2).reshape(rows * size, columns * size, 3))


def draw_styles() -> None:
    """Draw every hair style, then hats and clothes, on a woman and a man."""
    woman, man = _plain(27, male=False), _plain(19, male=True)
    for name, group, field, values in (
        ("hair-styles", "hair", "style", HAIR_STYLES),
        ("hats", "outfit", "hat", HATS),
        ("clothes", "outfit", "neckline", NECKLINES),
    ):
        pictures, titles = [], []
        for value in values:
            for person in (woman, man):
                changed = replace(getattr(person, group), **{field: value})
                pictures.append(replace(person, **{group: changed}).render(128) / 255)
                titles.append(value.replace("_", " "))
        show_faces(pictures, titles, columns=8, scale=1, path=FOLDER / f"{name}.png")


def draw_switches() -> None:
    """Draw a few people, with one attribute switched in each column."""
    rows = {}
    for index in (2, 11, 16, 25, 33):
        person = _plain(index)
        pictures = [person.render(96)]
        for name, on in SWITCHES.items():
            on = not person.attributes()[name] if on is None else on
            pictures.append(person.with_attribute(name, on).render(96))
        rows[f"person {index}"] = np.array(pictures) / 255
    titles = ["", *(f"{'no ' if on is False else ''}{name}" for name, on in SWITCHES.items())]
    titles = [title.replace("no No_", "").replace("_", "\n", 1) for title in titles]
    show_rows(rows, titles, scale=1, path=FOLDER / "switches.png")


def draw_dials() -> None:
    """Draw one person with each dial turned from one end to the other."""
    person = _plain(27)
    rows = {}
    for name, dial in DIALS.items():
        values = np.linspace(dial.low, dial.high, 8)
        rows[name.replace("_", " ")] = (
            np.array([person.with_dial(name, float(value)).render(96) for value in values]) / 255
        )
    show_rows(rows, scale=1, path=FOLDER / "dials.png")


def _plain(index: int, male: bool | None = None) -> Person:
    """Find a person without hat, glasses or blur; of one sex, if it is given."""
    person = Person.sample(0, index)
    if male is not None:
        person = person.with_attribute("Male", male)
    for name in ("Blurry", "Wearing_Hat", "Eyeglasses", "Bald"):
        person = person.with_attribute(name, False)
    return person


def _save(name: str, picture: np.ndarray) -> None:
    path = FOLDER / f"{name}.jpg"
    Image.fromarray(picture).save(path, quality=90)
    print(f"{path.name}: {picture.shape[1]} x {picture.shape[0]}")


if __name__ == "__main__":
    main()
