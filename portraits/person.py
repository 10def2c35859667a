"""Who is in the portrait: every parameter of one picture, sampled from a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from portraits.head import load_head

Color = tuple[float, float, float]
"""Red, green, blue in [0, 1], as on a screen (not linear light)."""

HAIR_COLORS: dict[str, tuple[Color, Color]] = {
    "Black": ((0.055, 0.045, 0.045), (0.11, 0.085, 0.075)),
    "Brown": ((0.20, 0.12, 0.075), (0.40, 0.26, 0.16)),
    "Blond": ((0.66, 0.50, 0.28), (0.92, 0.78, 0.52)),
    "Gray": ((0.55, 0.55, 0.56), (0.88, 0.88, 0.88)),
    "Red": ((0.42, 0.16, 0.07), (0.62, 0.27, 0.11)),
}
"""The darkest and the lightest shade of each."""

LONG_STYLES = ("bob", "medium", "long")
"""Hair styles in which hair hangs down beside the face."""

_JEWEL_COLORS = ((0.95, 0.8, 0.35), (0.9, 0.9, 0.93), (0.85, 0.2, 0.25), (0.2, 0.4, 0.7))
_FRAME_COLORS = (
    (0.05, 0.05, 0.05),
    (0.05, 0.05, 0.05),
    (0.25, 0.13, 0.07),
    (0.6, 0.5, 0.3),
    (0.5, 0.5, 0.52),
    (0.5, 0.08, 0.1),
)
_IRIS_COLORS = ((0.23, 0.13, 0.07), (0.33, 0.21, 0.1), (0.28, 0.36, 0.2), (0.3, 0.45, 0.6))
_HEAD_SHAPES = (
    "oval",
    "round",
    "rectangular",
    "square",
    "triangular",
    "invertedtriangular",
    "diamond",
)
_FEATURE_SPREAD = {
    "head": 0.15,
    "forehead": 0.22,
    "eye": 0.22,
    "brow": 0.3,
    "cheek": 0.28,
    "chin": 0.22,
    "ear": 0.3,
    "mouth": 0.24,
    "nose": 0.26,
    "neck": 0.2,
    "asym": 0.12,
}
"""Standard deviation of the morph targets of each part of the head."""


@dataclass(frozen=True, slots=True)
class Build:
    """What a person is born with, and age."""

    male: bool
    age: float
    """0 (twenty or so) to 1 (very old)."""
    ancestry: tuple[float, float, float]
    """Shares of MakeHuman's Caucasian, African and Asian targets; they sum to 1."""
    gender: float
    """Shape of the head, 0 feminine to 1 masculine."""
    weight: float
    """-0.8 thin to 0.85 fat."""
    melanin: float
    """0 palest to 1 darkest skin."""
    iris: Color
    features: Mapping[str, float] = field(hash=False)
    """Weight of each morph target of the features (nose_hump, ...); 0 is average."""

    @property
    def young(self) -> bool:
        """Whether CelebA would call the person young."""
        return self.age < 0.48

    @property
    def ageing(self) -> float:
        """How old the face looks, 0 to 1."""
        return _limit((self.age - 0.28) / 0.42, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Hair:
    """The hair on the head."""

    color_name: str
    """A key of `HAIR_COLORS`."""
    color: Color
    style: str
    """bald, buzz, short, quiff, medium, long, afro, updo or bob."""
    bangs: bool
    waviness: float
    """0 straight to 1."""
    recession: float
    """How far the hairline has receded, 0 to 1."""
    parting: float
    """-0.5 on the person's right to 0.5 on the left."""
    volume: float
    """0.6 to 1.3, 1 is usual."""
    hairline: float
    """How much higher than usual the hair begins, in units of the mesh."""


@dataclass(frozen=True, slots=True)
class FacialHair:
    """Beard and brows; amounts from 0 (none) to 1."""

    stubble: float
    mustache: float
    goatee: float
    beard: float
    sideburns: float
    beard_length: float
    brow_thickness: float
    """Half the height of the brow, in units of the mesh."""
    brow_arch: float
    """Height of its arch, in units of the mesh."""


@dataclass(frozen=True, slots=True)
class MakeUp:
    """What is painted on the face; amounts from 0 (none) to 1."""

    eyes: float
    lipstick: float
    lip_color: Color
    blush: float


@dataclass(frozen=True, slots=True)
class Outfit:
    """What the person wears."""

    hat: str
    """none, beanie, cap or brim."""
    hat_color: Color
    earrings: bool
    jewel_color: Color
    earring_size: float
    necklace: bool
    glasses: bool
    sunglasses: bool
    """Whether the glasses are dark."""
    lens_squareness: float
    """0 round to 1 square."""
    frame_color: Color
    frame_thickness: float
    cloth_color: Color
    collar: float
    """y of the edge of the clothes at the throat."""
    suit: bool
    tie: bool
    tie_color: Color


@dataclass(frozen=True, slots=True)
class Expression:
    """What the face does; amounts from 0 (nothing) to about 1."""

    smiling: bool
    smile: float
    mouth_open: bool
    opening: float
    frown: float
    pucker: float
    blink: float
    eyes_wide: float
    squint: float
    brows_up: float
    brows_down: float
    smile_left: float
    """How much more the smile pulls on this side."""
    smile_right: float
    jaw: float
    """How much of an opening is the jaw's."""
    outer_brows: float
    """How far the outer ends of the brows follow the inner ones up."""


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
    """One key light and the sky."""

    azimuth: float
    """Radians, 0 in front."""
    elevation: float
    """Radians, 0 level with the face."""
    key: float
    ambient: float
    warmth: float
    """Above 0 the key light is orange, below 0 blue."""
    rim: float
    """Light along the outline."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A soft blot of light behind the person; position and radius in picture widths."""

    x: float
    y: float
    radius: float
    strength: float
    color: Color


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What is behind the person: a gradient and some blots of light."""

    start: Color
    stop: Color
    angle: float
    """Direction of the gradient in radians."""
    spots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Strands:
    """Random numbers that make locks and strands of hair."""

    coarse: tuple[float, ...]
    """64 of them, in [0, 1]."""
    fine: tuple[float, ...]
    """256 of them, in [0, 1]."""
    phase: tuple[float, ...]
    """6 of them, in [0, 1]: two shift waves, one shifts locks, one the glint on glasses."""


@dataclass(frozen=True, slots=True)
class Photo:
    """What the photographer does."""

    exposure: float
    shift_x: float
    """How far off centre the eyes are, in picture widths."""
    shift_y: float
    zoom: float
    tilt: float
    """Radians."""
    blur: float
    """Standard deviation of the blur in pixels of a picture 64 pixels wide; 0 is sharp."""
    grain: tuple[int, int]
    """State and increment of the PCG64 generator that gives the film grain."""


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that decides one portrait. A value: it never changes, and equals its twin.

    Make another with `dataclasses.replace`, a group at a time:

        replace(person, outfit=replace(person.outfit, glasses=True))
    """

    build: Build
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

    @classmethod
    def sample(cls, seed: int, index: int) -> "Person":
        """Draw the person number `index` (from 0) of the population `seed`.

        The same two numbers always give the same person, whoever else is drawn.

        Raises:
            ValueError: `seed` or `index` is negative.
        """
        return _Sampler(np.random.default_rng([seed, index])).person()


class _Sampler:
    """Draws a person's parameters. The order of the draws is part of the data set: keep it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def person(self) -> Person:
        rng = self.rng
        male = self.chance(0.45)
        age = rng.beta(1.2, 2.6)
        ancestry = rng.dirichlet([1.25, 0.42, 0.42]) ** 1.5
        ancestry = tuple((ancestry / np.sum(ancestry)).tolist())
        caucasian, african, asian = ancestry
        melanin = 0.22 * caucasian + 0.82 * african + 0.36 * asian + self.normal(0.09)
        melanin = _limit(melanin, 0, 1)
        gender = _limit((0.92 if male else 0.08) + self.normal(0.07), 0, 1)
        weight = _limit(self.normal(0.36), -0.8, 0.85)
        fairness = caucasian**1.3

        hair, hat, hat_color = self.hair_and_hat(male, age, african, fairness)
        stubble, mustache, goatee, beard, sideburns = self.beard(male)
        beard_length = self.uniform(0, 1) ** 2
        make_up = self.make_up(male)
        jewellery_and_glasses = self.jewellery_and_glasses(male, age)
        expression = self.expression()
        pose = self.pose()
        lighting = self.lighting()
        exposure = self.uniform(0.88, 1.12)
        shift_x, shift_y = self.normal(0.008), self.normal(0.008)
        zoom, tilt = 1 + self.normal(0.035), self.normal(0.025)
        gaze_x, gaze_y = self.normal(0.14), self.normal(0.08)
        rng.random()  # a draw without a use; without it every number after it would be another
        iris_odds = [
            0.35 + 0.5 * (1 - fairness),
            0.25,
            0.15 * fairness + 0.01,
            0.3 * fairness + 0.01,
        ]
        iris = _IRIS_COLORS[int(self.choose(range(4), iris_odds))]
        brow_thickness = (0.054 if male else 0.036) + self.normal(0.011)
        brow_arch = (0.008 if male else 0.03) + self.normal(0.016)
        blurry = self.chance(0.04)
        clothes = self.clothes(male)
        features = self.features(weight)
        smile_left, smile_right = self.normal(0.03), self.normal(0.03)
        jaw = self.uniform(0, 1)
        outer_brows = self.uniform(0.3, 1)
        backdrop = self.backdrop()
        strands = Strands(
            tuple(rng.random(64).tolist()),
            tuple(rng.random(256).tolist()),
            tuple(rng.random(6).tolist()),
        )
        blur = self.uniform(0.75, 1.2) if blurry else 0.0
        grain = rng.bit_generator.state["state"]
        return Person(
            build=Build(male, age, ancestry, gender, weight, melanin, iris, features),
            hair=hair,
            facial_hair=FacialHair(
                stubble,
                mustache,
                goatee,
                beard,
                sideburns,
                beard_length,
                _limit(brow_thickness, 0.020, 0.085),
                _limit(brow_arch, -0.02, 0.07),
            ),
            make_up=make_up,
            outfit=Outfit(hat, hat_color, *jewellery_and_glasses, *clothes),
            expression=Expression(*expression, smile_left, smile_right, jaw, outer_brows),
            pose=Pose(*pose, gaze_x - 0.35 * pose[0], gaze_y),
            lighting=lighting,
            backdrop=backdrop,
            strands=strands,
            photo=Photo(
                exposure, shift_x, shift_y, zoom, tilt, blur, (grain["state"], grain["inc"])
            ),
        )

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def normal(self, spread: float) -> float:
        """Normally distributed, cut off at 2.4 standard deviations."""
        return _limit(self.rng.normal() * spread, -2.4 * spread, 2.4 * spread)

    def choose(self, options: Sequence, odds: Sequence[float]) -> str | int:
        """Pick one of the options, by odds that need not sum to 1."""
        odds = np.asarray(odds)
        return self.rng.choice(options, p=odds / np.sum(odds)).item()

    def hair_and_hat(
        self, male: bool, age: float, african: float, fairness: float
    ) -> tuple[Hair, str, Color]:
        color_name, color = self.hair_color(male, age, fairness)
        style = self.hair_style(male, age, african)
        hangs = style in LONG_STYLES
        bangs = (hangs or style == "short") and self.chance(0.13 if male else 0.27)
        waviness = 0.0
        if hangs:
            waviness = self.uniform(0.35, 1) if self.chance(0.38) else self.uniform(0, 0.18)
        receding = male and self.chance(0.08 + 0.5 * age)
        recession = self.uniform(0.3, 1) if receding else self.uniform(0, 0.12)
        if bangs:
            recession = 0.0
        parting, volume = self.uniform(-0.5, 0.5), self.uniform(0.6, 1.3)
        hairline = self.uniform(-0.06, 0.07)
        hat_odds = [0.935, 0.025, 0.025, 0.015] if male else [0.95, 0.018, 0.01, 0.022]
        hat = self.choose(["none", "beanie", "cap", "brim"], hat_odds)
        hat_color = self.uniform(0.1, 0.6) + self.rng.uniform(-0.35, 0.35, 3)
        bangs = bangs and hat == "none"
        hair = Hair(color_name, color, style, bangs, waviness, recession, parting, volume, hairline)
        return hair, hat, _color(np.clip(hat_color, 0.03, 0.9))

    def hair_color(self, male: bool, age: float, fairness: float) -> tuple[str, Color]:
        odds = {
            "Black": 0.10 + 0.62 * (1 - fairness),
            "Brown": 0.36 * fairness + 0.12,
            "Blond": 0.50 * fairness * (0.6 if male else 1.0),
            "Red": 0.07 * fairness,
            "Gray": 2.6 * max(0, age - 0.46) if male else 1.7 * max(0, age - 0.48),
        }
        name = self.choose(list(odds), list(odds.values()))
        dark, light = np.array(HAIR_COLORS[name])
        t = self.uniform(0, 1)
        shade = (1 - t) * dark + t * light + self.rng.normal(0, 0.008, 3)
        return name, _color(np.clip(shade, 0.02, 1))

    def hair_style(self, male: bool, age: float, african: float) -> str:
        if male:
            odds = {
                "bald": 0.07 + 0.1 * age,
                "buzz": 0.13,
                "short": 0.38,
                "quiff": 0.2,
                "medium": 0.1,
                "long": 0.04,
                "afro": 0.08 * african * 2 + 0.01,
            }
        else:
            odds = {
                "bald": 0.004,
                "buzz": 0.006,
                "short": 0.07,
                "updo": 0.15,
                "bob": 0.17,
                "medium": 0.17,
                "long": 0.41,
                "afro": 0.06 * african * 2 + 0.005,
            }
        return self.choose(list(odds), list(odds.values()))

    def beard(self, male: bool) -> tuple[float, float, float, float, float]:
        """Amounts of stubble, mustache, goatee, beard and sideburns."""
        stubble = mustache = goatee = beard = sideburns = 0.0
        kind = self.rng.random() if male else 1.0
        if kind < 0.16:
            stubble = self.uniform(0.45, 1)
        elif kind < 0.23:
            mustache = self.uniform(0.7, 1)
        elif kind < 0.31:
            goatee = self.uniform(0.7, 1)
            mustache = self.uniform(0.6, 1) * self.chance(0.7)
        elif kind < 0.43:
            beard, mustache, goatee = self.uniform(0.7, 1), self.uniform(0.7, 1), 1.0
            sideburns = self.uniform(0.6, 1)
        elif kind < 0.48:
            sideburns = self.uniform(0.6, 1)
        return stubble, mustache, goatee, beard, sideburns

    def make_up(self, male: bool) -> MakeUp:
        made_up = not male and self.chance(0.52)
        eyes = self.uniform(0.5, 1) if made_up else 0.0
        lips = (made_up and self.chance(0.92)) or (not male and self.chance(0.2))
        lipstick = self.uniform(0.6, 1) if lips else 0.0
        lip_color = (
            self.uniform(0.55, 0.85),
            self.uniform(0.08, 0.32),
            self.uniform(0.15, 0.38),
        )
        rouge = made_up and self.chance(0.3)
        blush = self.uniform(0.4, 1) if rouge else self.uniform(0, 0.18)
        return MakeUp(eyes, lipstick, lip_color, blush)

    def jewellery_and_glasses(self, male: bool, age: float) -> tuple:
        """The fields of `Outfit` from `earrings` to `frame_thickness`."""
        earrings = self.chance(0.02 if male else 0.36)
        jewel_color = _JEWEL_COLORS[self.rng.integers(4)]
        earring_size = self.uniform(0.05, 0.10)
        necklace = not male and self.chance(0.2)
        glasses = self.chance(0.07 + 0.20 * age + 0.06 * male)
        sunglasses = glasses and self.chance(0.15)
        lens_squareness = self.uniform(0, 1)
        frame_color = _FRAME_COLORS[self.rng.integers(6)]
        frame_thickness = self.uniform(0.016, 0.034)
        return (
            earrings,
            jewel_color,
            earring_size,
            necklace,
            glasses,
            sunglasses,
            lens_squareness,
            frame_color,
            frame_thickness,
        )

    def expression(self) -> tuple:
        """The fields of `Expression` from `smiling` to `brows_down`."""
        smiling = self.chance(0.52)
        smile = self.uniform(0.75, 1.15) if smiling else self.uniform(0, 0.08)
        mouth_open = self.chance(0.74 if smiling else 0.2)
        opening = self.uniform(0.35, 1) if mouth_open else 0.0
        frown = 0.0 if smiling else self.uniform(0, 0.5) * self.chance(0.4)
        pucker = 0.0 if smiling or mouth_open else self.uniform(0, 0.35) * self.chance(0.2)
        blink = self.uniform(0, 0.16) * self.chance(0.6)
        eyes_wide = self.uniform(0, 0.35)
        squint = smile * self.uniform(0.05, 0.4)
        brows_up = self.uniform(0, 0.5) * self.chance(0.3)
        brows_down = self.uniform(0, 0.4) * self.chance(0.2)
        return (
            smiling,
            smile,
            mouth_open,
            opening,
            frown,
            pucker,
            blink,
            eyes_wide,
            squint,
            brows_up,
            brows_down,
        )

    def pose(self) -> tuple[float, float, float, float]:
        """Yaw, pitch and roll of the head, and yaw of the body."""
        yaw = _limit(self.normal(0.22), -0.5, 0.5)
        return yaw, self.normal(0.08), self.normal(0.06), yaw * 0.4 + self.normal(0.15)

    def lighting(self) -> Lighting:
        return Lighting(
            azimuth=self.normal(0.75),
            elevation=self.uniform(-0.05, 0.95),
            key=self.uniform(0.72, 1.2),
            ambient=self.uniform(0.28, 0.55),
            warmth=self.normal(0.06),
            rim=self.uniform(0, 0.6) * self.chance(0.4),
        )

    def iris(self, fairness: float) -> Color:
        dark = 0.35 + 0.5 * (1 - fairness)
        odds = [dark, 0.25, 0.15 * fairness + 0.01, 0.3 * fairness + 0.01]
        return _IRIS_COLORS[self.choose(range(4), odds)]

    def clothes(self, male: bool) -> tuple:
        """The fields of `Outfit` from `cloth_color` on."""
        gray = self.uniform(0.06, 0.85)
        hue = self.rng.uniform(-0.4, 0.4, 3) if self.chance(0.55) else np.zeros(3)
        cloth_color = _color(np.clip(gray + hue * 0.6, 0.03, 0.92))
        collar = self.uniform(-1.95, -1.45)
        suit = male and self.chance(0.3)
        tie = suit and self.chance(0.55)
        return cloth_color, collar, suit, tie, _color(self.rng.uniform(0.05, 0.7, 3))

    def features(self, weight: float) -> dict[str, float]:
        """Weights of the morph targets that shape the features."""
        shares = self.rng.dirichlet(np.full(len(_HEAD_SHAPES), 0.45)) * self.uniform(0, 0.6)
        features = {f"head_{n}": float(x) for n, x in zip(_HEAD_SHAPES, shares, strict=True)}
        for name in load_head().morph_names:
            spread = _FEATURE_SPREAD.get(name.split("_")[0])
            if spread is not None and name not in features:
                features[name] = self.normal(spread)
        features["head_age"] = self.normal(0.1)
        for name in ("ear_wing", "mouth_laughlines", "nose_hump"):
            features[name] = self.normal(0.2)
        features["eye_scale"] += 0.28
        features["eye_height2"] += 0.26
        features["mouth_angles"] += 0.18
        features["neck_double"] = max(0, weight) * self.uniform(0, 1.2) + self.normal(0.1)
        return features

    def backdrop(self) -> Backdrop:
        rng = self.rng
        gray = self.uniform(0.15, 0.85)
        hue = rng.uniform(-0.22, 0.22, 3) * rng.random()
        start = np.clip(gray + hue + self.uniform(-0.12, 0.12), 0.05, 0.95)
        stop = np.clip(gray + hue * 0.6 + self.uniform(-0.18, 0.18), 0.05, 0.95)
        angle = self.uniform(0, 2 * np.pi)
        spots = tuple(self.spot() for _ in range(rng.integers(0, 4)))
        return Backdrop(_color(start), _color(stop), angle, spots)

    def spot(self) -> Spot:
        x, y, radius = self.rng.uniform([0, 0, 0.08], [1, 1, 0.3]).tolist()
        strength = self.uniform(-0.15, 0.3)
        return Spot(x, y, radius, strength, _color(self.rng.uniform(0.5, 1, 3)))


def _color(values: np.ndarray) -> Color:
    return tuple(values.tolist())


def _limit(x: float, low: float, high: float) -> float:
    return min(max(x, low), high)
