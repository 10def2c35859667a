"""The parameters of one portrait, in groups. They are values: they never change."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Color = tuple[float, float, float]
"""Red, green, blue in [0, 1], as on a screen (not linear light)."""

HAIR_COLORS: dict[str, tuple[Color, Color]] = {
    "Black": ((0.055, 0.045, 0.045), (0.11, 0.085, 0.075)),
    "Brown": ((0.20, 0.12, 0.075), (0.40, 0.26, 0.16)),
    "Blond": ((0.66, 0.50, 0.28), (0.92, 0.78, 0.52)),
    "Gray": ((0.55, 0.55, 0.56), (0.88, 0.88, 0.88)),
    "Red": ((0.42, 0.16, 0.07), (0.62, 0.27, 0.11)),
}
"""Name of a hair colour: its darkest and its lightest shade."""

FACE_SHAPES = ("round", "rectangular", "square", "triangular", "invertedtriangular", "diamond")
"""Shapes of faces that are not oval: the names of their morph targets."""

SHORT_STYLES = ("buzz", "crop", "side_part", "quiff", "tousled", "slick", "pixie")
MEDIUM_STYLES = ("bob", "lob", "shag")
LONG_STYLES = ("long", "layered", "one_shoulder")
CURLY_STYLES = ("short_curls", "afro", "long_curls")
UPDO_STYLES = ("bun", "chignon", "ponytail")
HAIR_STYLES = (
    "bald",
    *SHORT_STYLES,
    *MEDIUM_STYLES,
    *LONG_STYLES,
    *CURLY_STYLES,
    *UPDO_STYLES,
)
HANGING_STYLES = (*MEDIUM_STYLES, *LONG_STYLES, "long_curls")
"""Hair styles in which hair hangs down beside the face."""

HATS = ("none", "beanie", "cap", "fedora", "sun_hat")
NECKLINES = ("crew", "v", "scoop", "turtleneck", "straps", "shirt", "suit")
EARRINGS = ("stud", "drop", "hoop")
NECKLACES = ("chain", "pearls", "pendant")


@dataclass(frozen=True, slots=True)
class Build:
    """What a person is born with, and the age."""

    male: bool
    age: float
    """0 (about twenty) to 1 (very old)."""
    ancestry: tuple[float, float, float]
    """Shares of MakeHuman's Caucasian, African and Asian targets; they sum to 1."""
    gender: float
    """The shape of the head, 0 feminine to 1 masculine."""
    weight: float
    """-0.8 thin to 1 fat."""
    melanin: float
    """0 palest to 1 darkest skin."""
    iris: Color

    @property
    def young(self) -> bool:
        """Whether the person counts as young, as in CelebA."""
        return self.age < 0.48

    @property
    def ageing(self) -> float:
        """How old the face looks, 0 to 1."""
        return min(0.35 * self.age + 0.75 * self.age**2, 1.0)


def usual_melanin(ancestry: tuple[float, float, float]) -> float:
    """Average melanin of an ancestry; see `Build`."""
    caucasian, african, asian = ancestry
    return 0.25 * caucasian + 0.82 * african + 0.36 * asian


@dataclass(frozen=True, slots=True)
class Face:
    """The shape of the face. CelebA's attributes are numbers from 0 (not at all) to 1 (very)."""

    oval: float
    nose_size: float
    nose_point: float
    """0 blunt and broad at the tip, 1 pointed."""
    lips: float
    """0 thin to 1 full."""
    cheekbones: float
    """0 flat to 1 high."""
    eyes_narrow: float
    """0 wide open to 1 narrow."""
    eye_bags: float
    double_chin: float
    brow_thickness: float
    brow_arch: float
    freckles: float
    features: Mapping[str, float] = field(hash=False)
    """The weights of the morph targets that make faces differ; 0 is average."""


@dataclass(frozen=True, slots=True)
class Hair:
    """The hair on the head."""

    color_name: str
    """A key of `HAIR_COLORS`."""
    color: Color
    style: str
    """One of `HAIR_STYLES`."""
    bangs: bool
    waviness: float
    """0 straight to 1."""
    recession: float
    """How far the hairline has receded, 0 to 1."""
    parting: float
    """-1 on the person's right to 1 on the left; 0 is the middle."""
    volume: float
    """0.6 to 1.3; 1 is usual."""
    hairline: float
    """How much higher than usual the hair begins, in units of the mesh."""
    length: float
    """0 the shortest of its style to 1 the longest."""
    tucked: bool
    """Whether hanging hair is tucked behind the ears."""
    highlights: float
    """How much lighter some strands are, 0 to 1."""
    messiness: float
    """0 neat to 1."""


@dataclass(frozen=True, slots=True)
class FacialHair:
    """Hair on the face, in amounts from 0 (none) to 1."""

    stubble: float
    mustache: float
    goatee: float
    beard: float
    sideburns: float
    beard_length: float


@dataclass(frozen=True, slots=True)
class MakeUp:
    """Make-up, in amounts from 0 (none) to 1."""

    eyes: float
    lipstick: float
    lip_color: Color
    blush: float
    shadow_color: Color
    """The colour on the upper eyelids."""


@dataclass(frozen=True, slots=True)
class Outfit:
    """Clothes and accessories."""

    hat: str
    """One of `HATS`."""
    hat_color: Color
    earrings: bool
    earring_style: str
    """One of `EARRINGS`."""
    earring_size: float
    """0 small to 1 large."""
    necklace: bool
    necklace_style: str
    """One of `NECKLACES`."""
    jewel_color: Color
    glasses: bool
    sunglasses: bool
    """Whether the glasses, if worn, are dark."""
    lens_squareness: float
    """0 round to 1 square."""
    frame_color: Color
    frame_thickness: float
    """0 thin to 1 thick."""
    neckline: str
    """One of `NECKLINES`."""
    cloth_color: Color
    shirt_color: Color
    """The colour of the shirt under a suit."""
    tie: bool
    """Whether a tie is worn; only a shirt or a suit shows it."""
    tie_color: Color

    @property
    def tied(self) -> bool:
        """Whether the tie is drawn."""
        return self.tie and self.neckline in ("shirt", "suit")


@dataclass(frozen=True, slots=True)
class Expression:
    """The expression of the face, in amounts from 0 (none) to about 1."""

    smile: float
    opening: float
    """How far the mouth is open."""
    frown: float
    pucker: float
    brows_up: float
    brows_down: float
    smile_left: float
    """How much stronger the smile is on this side."""
    smile_right: float
    jaw: float
    """How much the jaw takes part in opening the mouth."""
    outer_brows: float
    """How far the outer ends of the brows rise with the inner ones."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where head, body and eyes point, in radians."""

    yaw: float
    pitch: float
    roll: float
    body_yaw: float
    gaze_x: float
    gaze_y: float


@dataclass(frozen=True, slots=True)
class Lighting:
    """The light: one key light, and the sky."""

    azimuth: float
    """Radians, 0 in front."""
    elevation: float
    """Radians, 0 level with the face."""
    key: float
    ambient: float
    warmth: float
    """The key light is orange above 0, blue below."""
    rim: float
    """How strong the light along the outline is."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A shape out of focus behind the person; lengths are shares of the picture's sides."""

    x: float
    """Its middle, like `y`."""
    y: float
    width: float
    """From the middle to the edge, like `height`."""
    height: float
    softness: float
    """How much of it fades out: above 0, up to 1."""
    strength: float
    """How much it covers, 0 to 1."""
    square: bool
    """Whether it is a rectangle rather than an ellipse."""
    color: Color


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The backdrop: a gradient, with shapes out of focus before it."""

    start: Color
    stop: Color
    angle: float
    """The direction of the gradient in radians."""
    vignette: float
    """How much darker the corners are, 0 to 1."""
    spots: tuple[Spot, ...]
    """The later ones cover the earlier ones."""


@dataclass(frozen=True, slots=True)
class Strands:
    """Random numbers for details: locks and strands of hair, folds, skin, reflections."""

    coarse: tuple[float, ...]
    """64 of them, in [0, 1]."""
    fine: tuple[float, ...]
    """256 of them, in [0, 1]."""
    phase: tuple[float, ...]
    """6 of them, in [0, 1]: each shifts or chooses a pattern (waves, glints, stripes)."""


@dataclass(frozen=True, slots=True)
class Photo:
    """Settings of the camera and the film."""

    exposure: float
    shift_x: float
    """How far off centre the eyes are, in picture widths."""
    shift_y: float
    zoom: float
    tilt: float
    """Radians."""
    blur: float
    """Standard deviation of the blur, in pixels of a picture that is 64 pixels wide; 0 is sharp."""
    grain: tuple[int, int]
    """State and increment of the PCG64 generator of the film grain."""


@dataclass(frozen=True, slots=True)
class Traits:
    """All parameters of one portrait. Two with the same parameters are equal.

    They never change; make another with `dataclasses.replace`, one group at a time:

        replace(person, outfit=replace(person.outfit, glasses=True))
    """

    build: Build
    face: Face
    hair: Hair
    facial_hair: FacialHair
    make_up: MakeUp
    outfit: Outfit
    expression: Expression
    pose: Pose
    lighting: Lighting
    backdrop: Backdrop
    strands: Strands
    photo: Photo
