"""What CelebA would call a portrait: its 40 attributes, read off the parameters."""

from portraits.person import LONG_STYLES, Person

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
"""The names, in CelebA's order."""


def attributes(person: Person) -> dict[str, bool]:
    """Tell which of the 40 attributes a person has, in the order of `ATTRIBUTES`.

    `Attractive` is always false: it is a judgement, and no parameter stands for it.
    """
    build, hair, face = person.build, person.hair, person.expression
    beard, outfit = person.facial_hair, person.outfit
    feature, african = build.features, build.ancestry[1]
    hatted = outfit.hat != "none"
    hair_shows = hair.style != "bald" and not (hatted and hair.style == "buzz")
    hair_color = hair.color_name if hair_shows else ""
    nose = (
        feature["nose_volume"]
        + feature["nose_scale-horiz"] * 1.2
        + feature["nose_width3"] * 0.7
        + 0.5 * african
    )
    lips = (
        feature["mouth_lowerlip-height"]
        + feature["mouth_upperlip-height"]
        + 0.5 * (feature["mouth_lowerlip-volume"] + feature["mouth_upperlip-volume"])
        + 0.8 * african
    )
    lid_closure = face.squint * 0.6 + face.blink - feature["eye_height2"] * 0.6
    found = {
        "5_o_Clock_Shadow": beard.stubble > 0,
        "Arched_Eyebrows": beard.brow_arch > 0.038,
        "Attractive": False,
        "Bags_Under_Eyes": feature["eye_bag"] + 0.9 * build.ageing > 0.75,
        "Bald": hair.style == "bald" and not hatted,
        "Bangs": hair.bangs,
        "Big_Lips": lips > 0.5,
        "Big_Nose": nose > 0.5,
        "Black_Hair": hair_color == "Black",
        "Blond_Hair": hair_color == "Blond",
        "Blurry": person.photo.blur > 0,
        "Brown_Hair": hair_color == "Brown",
        "Bushy_Eyebrows": beard.brow_thickness > 0.06,
        "Chubby": build.weight > 0.42,
        "Double_Chin": feature["neck_double"] > 0.32,
        "Eyeglasses": outfit.glasses,
        "Goatee": beard.goatee > 0 and beard.beard == 0,
        "Gray_Hair": hair_color == "Gray",
        "Heavy_Makeup": person.make_up.eyes > 0,
        "High_Cheekbones": feature["cheek_bones"] + 0.4 * face.smile > 0.35,
        "Male": build.male,
        "Mouth_Slightly_Open": face.mouth_open,
        "Mustache": beard.mustache > 0,
        "Narrow_Eyes": lid_closure > 0.12,
        "No_Beard": beard.stubble + beard.mustache + beard.goatee + beard.beard == 0,
        "Oval_Face": feature["head_oval"] > 0.10,
        "Pale_Skin": build.melanin < 0.14,
        "Pointy_Nose": feature["nose_point-width"] < -0.2,
        "Receding_Hairline": hair.recession > 0.25 and hair.style != "bald",
        "Rosy_Cheeks": person.make_up.blush > 0.35,
        "Sideburns": beard.sideburns > 0,
        "Smiling": face.smiling,
        "Straight_Hair": hair.style in LONG_STYLES and hair.waviness < 0.2,
        "Wavy_Hair": hair.waviness > 0.2 or hair.style == "afro",
        "Wearing_Earrings": outfit.earrings,
        "Wearing_Hat": hatted,
        "Wearing_Lipstick": person.make_up.lipstick > 0,
        "Wearing_Necklace": outfit.necklace,
        "Wearing_Necktie": outfit.tie,
        "Young": build.young,
    }
    return {name: found[name] for name in ATTRIBUTES}
