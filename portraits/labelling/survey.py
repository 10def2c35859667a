"""The survey: counts the pixels of things that may be hidden, for the labels."""

import numpy as np

from portraits.colour.facial_hair import sideburns_cover
from portraits.colour.hair import hair_cover
from portraits.labelling.labels import HALF, Visible, label
from portraits.maths import Array
from portraits.people.traits import Traits
from portraits.picture.render import Size, draw_shot, take_shot
from portraits.picture.shot import Shot
from portraits.shape.head import load_head
from portraits.shape.mesh import Material

PIXELS = 96
"""Width and height of the shot in which pixels are counted."""


def attributes(person: Traits) -> dict[str, bool]:
    """Tell for each of CelebA's 40 attributes whether it can be seen in the portrait."""
    return label(person, survey(person))


def survey(person: Traits) -> Visible:
    """Count the pixels of things that hair, a hat or the edge of the picture may hide."""
    return count(person, Shot.of(person, PIXELS, PIXELS))


def render_and_survey(person: Traits, size: Size = 64) -> tuple[Array, Visible]:
    """Render and survey a person; at 64 pixels both use one shot."""
    shot = take_shot(person, size)
    shared = (shot.width, shot.height) == (PIXELS, PIXELS)
    seen = count(person, shot) if shared else survey(person)
    return draw_shot(person, shot, size), seen


def count(person: Traits, shot: Shot) -> Visible:
    """Count them in a shot of `PIXELS` x `PIXELS` pixels."""
    body = shot.body
    seen = np.ones(len(body.pixels), bool)
    n_hair = 0
    if shot.hair is not None:
        hidden = np.zeros(shot.width * shot.height, bool)
        hidden[shot.hair.pixels] = shot.hair_cover > HALF
        n_hair = int(hidden.sum())
        seen = ~hidden[body.pixels]
    head = np.flatnonzero((body.material == Material.SKIN) & seen)
    on_head = body.surface.take(head)
    n_hair += int((body.material[seen] == Material.HAIR).sum())
    beard = person.facial_hair
    n_sideburns = 0
    if n_hair < 2 * PIXELS or beard.sideburns:  # else enough hair is seen already
        (ears,) = body.points.take(head)(load_head().masks["ears"][:, None])
        hair = hair_cover(person, on_head, ears) > HALF
        n_hair += int(hair.sum())
        n_sideburns = int((sideburns_cover(on_head) > HALF)[~hair].sum())
    n_earrings, n_necklace, n_tie = (
        int((body.material[seen] == worn).sum())
        for worn in (Material.JEWEL, Material.NECKLACE, Material.TIE)
    )
    return Visible(n_hair, n_sideburns, n_earrings, n_necklace, n_tie)
