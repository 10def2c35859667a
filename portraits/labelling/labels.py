"""Labels: CelebA's 40 attributes of a person, as far as the picture shows them."""

from dataclasses import dataclass

from portraits.people.traits import CURLY_STYLES, HANGING_STYLES, Traits

ATTRIBUTES: tuple[str, ...] = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)
"""The names of the attributes, in CelebA's order."""

HALF = 0.5
"""A trait from 0 (not at all) to 1 (very) has its label above this; see `Face`."""

PALE = 0.08
"""Skin with less melanin is pale; see `Build.melanin`."""


@dataclass(frozen=True, slots=True)
class Visible:
    """How many of 96 x 96 pixels show things that may be hidden.

    `portraits.labelling.survey` counts them, at this size for every size of picture.
    """

    hair: int
    sideburns: int
    earrings: int
    necklace: int
    tie: int


_ENOUGH = Visible(hair=120, sideburns=8, earrings=6, necklace=8, tie=16)
"""The fewest pixels that can be noticed."""


def label(person: Traits, seen: Visible) -> dict[str, bool]:
    """Tell for each of `ATTRIBUTES`, in their order, whether a person has it.

    `Attractive` is always false: it is a judgement, not a fact about a drawing.
    """
    build, face, hair, mouth = person.build, person.face, person.hair, person.expression
    beard, outfit = person.facial_hair, person.outfit
    bare_headed = outfit.hat == "none"
    hair_shows = hair.style != "bald" and seen.hair >= _ENOUGH.hair
    hair_color = hair.color_name if hair_shows else ""
    hangs = hair_shows and hair.style in HANGING_STYLES
    curly = hair.style in CURLY_STYLES
    found = {
        "5_o_Clock_Shadow": beard.stubble > HALF and beard.beard < HALF,
        "Arched_Eyebrows": face.brow_arch > HALF,
        "Attractive": False,
        "Bags_Under_Eyes": face.eye_bags > HALF,
        "Bald": hair.style == "bald" and bare_headed,
        "Bangs": hair.bangs and bare_headed and hair.style != "bald",
        "Big_Lips": face.lips > HALF,
        "Big_Nose": face.nose_size > HALF,
        "Black_Hair": hair_color == "Black",
        "Blond_Hair": hair_color == "Blond",
        "Blurry": person.photo.blur > HALF,
        "Brown_Hair": hair_color == "Brown",
        "Bushy_Eyebrows": face.brow_thickness > HALF,
        "Chubby": build.weight > HALF,
        "Double_Chin": face.double_chin > HALF,
        "Eyeglasses": outfit.glasses,
        "Goatee": beard.goatee > HALF and beard.beard < HALF,
        "Gray_Hair": hair_color == "Gray",
        "Heavy_Makeup": person.make_up.eyes > HALF,
        "High_Cheekbones": face.cheekbones > HALF,
        "Male": build.male,
        "Mouth_Slightly_Open": mouth.opening > 0.2,
        "Mustache": beard.mustache > HALF,
        "Narrow_Eyes": face.eyes_narrow > HALF,
        "No_Beard": max(beard.stubble, beard.mustache, beard.goatee, beard.beard) < HALF,
        "Oval_Face": face.oval > HALF,
        "Pale_Skin": build.melanin < PALE,
        "Pointy_Nose": face.nose_point > HALF,
        "Receding_Hairline": (
            hair.recession > HALF and bare_headed and hair_shows and not hair.bangs
        ),
        "Rosy_Cheeks": person.make_up.blush > HALF,
        "Sideburns": beard.sideburns > HALF and seen.sideburns >= _ENOUGH.sideburns,
        "Smiling": mouth.smile > 0.4,
        "Straight_Hair": hangs and hair.waviness < HALF,
        "Wavy_Hair": (hangs or (hair_shows and curly)) and hair.waviness > HALF,
        "Wearing_Earrings": outfit.earrings and seen.earrings >= _ENOUGH.earrings,
        "Wearing_Hat": not bare_headed,
        "Wearing_Lipstick": person.make_up.lipstick > HALF,
        "Wearing_Necklace": outfit.necklace and seen.necklace >= _ENOUGH.necklace,
        "Wearing_Necktie": outfit.tie and seen.tie >= _ENOUGH.tie,
        "Young": build.young,
    }
    return {name: found[name] for name in ATTRIBUTES}
