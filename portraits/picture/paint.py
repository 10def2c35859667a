"""Painting: gives every pixel of a shot its colour."""

from collections.abc import Callable

import numpy as np

from portraits.colour.accessories import hat_color, necklace_color, polished_color, through_lens
from portraits.colour.backdrop import paint_backdrop
from portraits.colour.clothes import cloth_color, tie_color
from portraits.colour.eyes_and_teeth import eye_color, teeth_color
from portraits.colour.hair import hair_color, hair_cover, hair_outline
from portraits.colour.light import Light, Surface
from portraits.colour.skin import Masks, skin_color
from portraits.maths import Array, mix
from portraits.people.traits import Color, Traits
from portraits.picture.shot import Layer, Shot
from portraits.shape.head import load_head
from portraits.shape.mesh import EYES, TEETH, Material


def paint(person: Traits, shot: Shot) -> Array:
    """Paint a shot in linear light: float32 (3, height, width)."""
    image = paint_backdrop(person.backdrop, shot.width, shot.height)
    flat = image.reshape(3, -1)
    body, light = shot.body, shot.light
    flat[:, body.pixels] = _colors(person, body, light, flat[:, body.pixels])
    if shot.hair is not None:
        pixels, surface = shot.hair.pixels, shot.hair.surface
        loose = np.ones(len(pixels), bool)
        color = hair_color(person, surface, light, loose)
        flat[:, pixels] = mix(flat[:, pixels], color, shot.hair_cover)
    for lens in shot.lenses:
        _glaze(person, image, lens)
    return image


def _colors(person: Traits, body: Layer, light: Light, colors: Array) -> Array:
    """Paint n pixels of the body over the `colors` (3, n) of the backdrop, linear."""
    _color_head(person, body, light, colors)
    surface, material = body.surface, body.material
    present = np.bincount(material, minlength=len(Material))

    def paint(materials: tuple[Material, ...], color: Callable[[Surface, Array], Array]) -> None:
        if not present[list(materials)].any():
            return
        pixels = np.flatnonzero(np.logical_or.reduce([material == m for m in materials]))
        colors[:, pixels] = color(surface.take(pixels), material[pixels])

    def polished(color: Color, gloss: float) -> Callable[[Surface, Array], Array]:
        return lambda seen, _: polished_color(color, gloss, seen, light)

    paint(EYES, lambda seen, kind: eye_color(person, seen, light, kind == Material.EYE_LEFT))
    paint(TEETH, lambda seen, kind: teeth_color(seen, light, kind == Material.TEETH_LOWER))
    paint((Material.HAT,), lambda seen, _: hat_color(person, seen, light))
    paint((Material.CLOTH,), lambda seen, _: cloth_color(person, seen, light))
    paint((Material.TIE,), lambda seen, _: tie_color(person, seen, light))
    paint((Material.FRAME,), polished(person.outfit.frame_color, gloss=0.25))
    paint((Material.JEWEL,), polished(person.outfit.jewel_color, gloss=0.9))
    paint((Material.NECKLACE,), lambda seen, _: necklace_color(person, seen, light))
    return colors


def _color_head(person: Traits, body: Layer, light: Light, colors: Array) -> None:
    """Paint skin, and hair over it, into `colors` (3, n)."""
    surface, material = body.surface, body.material
    head = np.flatnonzero(material == Material.SKIN)
    on_head = surface.take(head)
    masks = load_head().masks
    masks = [masks[name] for name in ("lips", "eyelids", "ears", "mouth")]
    masks = Masks(*body.points.take(head)(np.stack(masks, 1)))
    hair = hair_cover(person, on_head, masks.ears)

    bare = np.flatnonzero(hair < 0.99)
    if len(bare):
        skin = skin_color(person, on_head.take(bare), light, masks.take(bare))
        colors[:, head[bare]] = skin

    shown, loose = np.flatnonzero(hair > 0.004), np.flatnonzero(material == Material.HAIR)
    hair[shown] *= hair_outline(person, on_head.take(shown))
    pixels = np.concatenate([head[shown], loose])
    if len(pixels):
        weight = np.concatenate([hair[shown], np.ones(len(loose), np.float32)])
        is_loose = np.arange(len(pixels)) >= len(shown)
        over = hair_color(person, surface.take(pixels), light, is_loose)
        colors[:, pixels] = mix(colors[:, pixels], over, weight)


def _glaze(person: Traits, image: Array, lens: Array) -> None:
    """Put a lens over an image (3, height, width) where `lens` (height, width) is true."""
    if not lens.any():
        return
    row, column = np.nonzero(lens)
    x, y = (
        (at - at.min()) / (np.ptp(at) + 1e-6 * len(lens)) for at in (column, row)
    )  # positions within the lens
    image[:, lens] = through_lens(person, image[:, lens], x, y)
