"""Switches: give a person an attribute or take it away, and leave the rest as it is."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from groundwork.words import suggestion
from portraits.errors import PortraitsError
from portraits.labelling.labels import ATTRIBUTES
from portraits.labelling.survey import attributes
from portraits.people.traits import CURLY_STYLES, HAIR_COLORS, HANGING_STYLES, Traits, usual_melanin

_NUMBERS: dict[str, tuple[str, str, float, float]] = {
    "Arched_Eyebrows": ("face", "brow_arch", 0.1, 0.9),
    "Bags_Under_Eyes": ("face", "eye_bags", 0.1, 0.9),
    "Big_Lips": ("face", "lips", 0.1, 0.9),
    "Big_Nose": ("face", "nose_size", 0.1, 0.9),
    "Blurry": ("photo", "blur", 0.0, 1.15),
    "Bushy_Eyebrows": ("face", "brow_thickness", 0.1, 0.9),
    "Chubby": ("build", "weight", 0.0, 0.9),
    "Double_Chin": ("face", "double_chin", 0.1, 0.9),
    "Heavy_Makeup": ("make_up", "eyes", 0.0, 0.9),
    "High_Cheekbones": ("face", "cheekbones", 0.1, 0.9),
    "Mouth_Slightly_Open": ("expression", "opening", 0.0, 0.75),
    "Mustache": ("facial_hair", "mustache", 0.0, 0.9),
    "Narrow_Eyes": ("face", "eyes_narrow", 0.1, 0.9),
    "Oval_Face": ("face", "oval", 0.1, 0.9),
    "Pointy_Nose": ("face", "nose_point", 0.1, 0.9),
    "Rosy_Cheeks": ("make_up", "blush", 0.05, 0.9),
    "Sideburns": ("facial_hair", "sideburns", 0.0, 0.9),
    "Smiling": ("expression", "smile", 0.03, 0.95),
    "Wearing_Lipstick": ("make_up", "lipstick", 0.0, 0.9),
    "Young": ("build", "age", 0.85, 0.15),
}
"""Attributes that are one number: group, field, number without and number with it."""

_HAIR_COLORS = {
    "Black_Hair": ("Black", "Brown"),
    "Blond_Hair": ("Blond", "Brown"),
    "Brown_Hair": ("Brown", "Black"),
    "Gray_Hair": ("Gray", "Brown"),
}
"""The colour with the attribute, and the colour without it."""

_TOO_SHORT_FOR_BANGS = ("bald", "buzz", "slick", "quiff", "afro", "short_curls")


def switch(person: Traits, wanted: Mapping[str, bool]) -> Traits:
    """Switch attributes of a person on or off, and change nothing else that can stay.

    Labels that exclude each other change together: hair that becomes blond is no longer black.
    What hides an attribute is moved: long hair goes behind the ears for earrings, a hat is
    taken off for bangs. If `Male` is switched, a beard or make-up is removed, since only men or
    only women wear them here.

    Args:
        wanted: some of `ATTRIBUTES`, and whether the person shall have them.

    Returns:
        The person with the wanted labels.

    Raises:
        PortraitsError: there is no such attribute, it can't be switched, or some exclude each
            other.
    """
    for name in wanted:
        _check(name)
    changed = person
    for name, on in wanted.items():
        if _has(changed, name) != on:
            changed = _revealed(_SWITCHES[name](changed, on), name, on)
    labels = attributes(changed)
    broken = [name for name, on in wanted.items() if labels[name] != on]
    if broken and len(wanted) > 1:
        raise PortraitsError(f"{' and '.join(wanted)} exclude each other; ask for one of them.")
    if broken:
        raise PortraitsError(f"{broken[0]} can't be switched on this person.")
    return changed


def _check(name: str) -> None:
    """Raise a `PortraitsError` if an attribute can't be switched."""
    if name == "Attractive":
        raise PortraitsError(
            "Attractive is a judgement, not a fact about a drawing, so nothing here switches it."
        )
    if name not in ATTRIBUTES:
        hint = suggestion(name, ATTRIBUTES, "; see portraits.ATTRIBUTES.")
        raise PortraitsError(f"There is no attribute {name!r}{hint}")


def _has(person: Traits, name: str) -> bool:
    return attributes(person)[name]


def _revealed(person: Traits, name: str, on: bool) -> Traits:
    """Move what hides an attribute: first hair, then a hat."""
    for reveal in (_tucked, _bare_headed):
        if not on or _has(person, name):
            break
        person = reveal(person)
    return person


def _tucked(person: Traits) -> Traits:
    return _with(person, "hair", tucked=True)


def _bare_headed(person: Traits) -> Traits:
    return _with(person, "outfit", hat="none")


def _with(person: Traits, group: str, **changes: object) -> Traits:
    """Change some fields of one group of a person."""
    return replace(person, **{group: replace(getattr(person, group), **changes)})


def _number(name: str) -> Callable[[Traits, bool], Traits]:
    """Make the switch of an attribute that is one number."""
    group, field, without, having = _NUMBERS[name]
    return lambda person, on: _with(person, group, **{field: having if on else without})


def _haired(person: Traits) -> Traits:
    """Give a bald person hair: short for a man, to the shoulders for a woman."""
    if person.hair.style != "bald":
        return person
    return _with(person, "hair", style="crop" if person.build.male else "lob")


def _hair_color(name: str) -> Callable[[Traits, bool], Traits]:
    """Make the switch of an attribute that is a colour of hair."""
    having, without = _HAIR_COLORS[name]

    def switched(person: Traits, on: bool) -> Traits:
        color_name = having if on else without
        dark, light = HAIR_COLORS[color_name]
        middle = tuple((a + b) / 2 for a, b in zip(dark, light, strict=True))
        return _with(_haired(person), "hair", color_name=color_name, color=middle)

    return switched


def _bald(person: Traits, on: bool) -> Traits:
    if on:
        return _bare_headed(_with(person, "hair", style="bald", bangs=False))
    return _haired(person)


def _bangs(person: Traits, on: bool) -> Traits:
    if on:
        if person.hair.style in _TOO_SHORT_FOR_BANGS:
            person = _with(person, "hair", style="crop" if person.build.male else "bob")
        person = _bare_headed(person)
    return _with(person, "hair", bangs=on)


def _receding(person: Traits, on: bool) -> Traits:
    person = _with(person, "hair", recession=0.9 if on else 0.05)
    return _bare_headed(_with(_haired(person), "hair", bangs=False)) if on else person


def _straight(person: Traits, on: bool) -> Traits:
    hair = person.hair
    if (on and hair.style not in HANGING_STYLES) or hair.style == "long_curls":
        person = _with(person, "hair", style="long" if hair.style in CURLY_STYLES else "lob")
    return _with(person, "hair", waviness=0.05 if on else 0.9)


def _wavy(person: Traits, on: bool) -> Traits:
    style = person.hair.style
    if on and style not in (*HANGING_STYLES, *CURLY_STYLES):
        person = _with(person, "hair", style="lob")
    if not on and style in CURLY_STYLES:
        short = "crop" if person.build.male else "pixie"
        person = _with(person, "hair", style="long" if style == "long_curls" else short)
    return _with(person, "hair", waviness=0.9 if on else 0.05)


def _male(person: Traits, on: bool) -> Traits:
    person = _with(person, "build", male=on, gender=0.94 if on else 0.06)
    if on:
        return _with(person, "make_up", eyes=0.0, lipstick=0.0, blush=0.05)
    return _with(person, "facial_hair", stubble=0.0, mustache=0.0, goatee=0.0, beard=0.0)


def _shadow(person: Traits, on: bool) -> Traits:
    person = _with(person, "facial_hair", stubble=0.9 if on else 0.0)
    return _with(person, "facial_hair", beard=0.0) if on else person


def _goatee(person: Traits, on: bool) -> Traits:
    person = _with(person, "facial_hair", goatee=0.9 if on else 0.0)
    return _with(person, "facial_hair", beard=0.0) if on else person


def _no_beard(person: Traits, on: bool) -> Traits:
    if on:
        return _with(person, "facial_hair", stubble=0.0, mustache=0.0, goatee=0.0, beard=0.0)
    return _with(person, "facial_hair", mustache=0.9, goatee=1.0, beard=0.9)


def _pale(person: Traits, on: bool) -> Traits:
    usual = max(0.2, usual_melanin(person.build.ancestry))
    return _with(person, "build", melanin=0.02 if on else usual)


def _tie(person: Traits, on: bool) -> Traits:
    if on and person.outfit.neckline not in ("shirt", "suit"):
        person = _with(person, "outfit", neckline="shirt")
    return _with(person, "outfit", tie=on)


def _worn(field: str) -> Callable[[Traits, bool], Traits]:
    """Make the switch of an attribute that is a thing worn."""
    return lambda person, on: _with(person, "outfit", **{field: on})


def _hat(person: Traits, on: bool) -> Traits:
    return _with(person, "outfit", hat="beanie" if on else "none")


_SWITCHES: dict[str, Callable[[Traits, bool], Traits]] = {
    **{name: _number(name) for name in _NUMBERS},
    **{name: _hair_color(name) for name in _HAIR_COLORS},
    "5_o_Clock_Shadow": _shadow,
    "Bald": _bald,
    "Bangs": _bangs,
    "Eyeglasses": _worn("glasses"),
    "Goatee": _goatee,
    "Male": _male,
    "No_Beard": _no_beard,
    "Pale_Skin": _pale,
    "Receding_Hairline": _receding,
    "Straight_Hair": _straight,
    "Wavy_Hair": _wavy,
    "Wearing_Earrings": _worn("earrings"),
    "Wearing_Hat": _hat,
    "Wearing_Necklace": _worn("necklace"),
    "Wearing_Necktie": _tie,
}
"""The switch of each attribute but `Attractive`."""
