"""Inside: one face on its way through the encoder, a draw of z, and the decoder."""

import math
from collections.abc import Mapping

import numpy as np
from traitlets import Bytes, Dict, Float, Int, List, TraitError, Unicode, observe, validate

from vaelib.metrics import kl_per_latent, rmse
from vaelib.model import VAE
from vaelib.pictures import png_bytes, read_image
from vaelib.sentences import say
from vaelib.widgets.base import decode_to_png, finite_number, javascript, stylesheet
from vaelib.widgets.gallery import GalleryWidget
from vaelib.widgets.still_inside import still_of_inside

SHOWN = 12  # latents at a time
FARTHEST = 10.0  # of a latent that is set by hand
SMALLEST = 1e-6  # deviation that a distance is divided by
NARROWEST = 4.0  # end of the axis, unless a latent lies farther out
SOURCES = ("mean", "draw")  # what the decoder gets
ORDERS = ("this face", "all faces")  # whose KL divergence sorts the latents


def rarity(deviations: float) -> str:
    """The share of draws from a normal distribution that lie as far from its mean, or farther.

    Args:
        deviations: the distance in standard deviations, of either sign.

    Returns:
        Words: "1 in 22" for 2 deviations.
    """
    share = math.erfc(abs(deviations) / math.sqrt(2))
    if share < 1e-9:
        return say("rare_billion")
    if share < 1e-6:
        return say("rare_million")
    if share > 0.1:
        return say("rare_percent", percent=100 * share)
    return say("rare_one_in", count=1 / share)


class Inside(GalleryWidget):
    """Look into the model: a face, its posterior, a draw of z, and the face decoded from z.

    The encoder gives each latent a mean and a standard deviation; z is the mean, or a draw
    z = mean + deviation * epsilon. Any latent can also be set by hand.

    Args:
        vae: a trained model.
        images: (n, h, w, 3) in [0, 1], n >= 1; some hundred faces to choose from.
        shown: number of latents on the page at a time.
        seed: of epsilon, and of the faces that Shuffle offers.

    Attributes:
        value: latent -> z set by hand, from -FARTHEST to FARTHEST; assign to it to set latents
            from code: `inside.value = {17: 2.5}`.
        source: "mean" or "draw", from which z of all other latents comes.
        sort_by: "this face" or "all faces": the latents are sorted by the KL divergence of the
            chosen face, or by the mean over all `images`; the largest comes first.
        first: rank of the first latent on the page, from 0.
        selected: the latent that `about` explains.
        z_mean, deviation, epsilon, kl, z: arrays (latent_dim,); kl is in nats, all others are in
            latent units. `z` is what the decoder gets.
        original, decoded: the face, and the one decoded from z, as the bytes of PNG files.
        error: root mean squared error of `decoded`, in grey levels (0 to 255).
        about: sentences about `selected`.
        facts: a sentence about the whole face.

    Raises:
        ValueError: there are no images.
        TraitError: an attribute is given what it can't be, such as a latent that is not there.
    """

    _esm = javascript("inside.js")
    _css = stylesheet("inside.css")
    value = Dict().tag(sync=True, echo_update=False)
    source = Unicode("draw").tag(sync=True)
    sort_by = Unicode("this face").tag(sync=True)
    first = Int(0).tag(sync=True)
    shown = Int(SHOWN).tag(sync=True)
    selected = Int(0).tag(sync=True)
    limit = Float(NARROWEST).tag(sync=True)  # the axis goes from -limit to limit
    order = List(Int()).tag(sync=True)  # all latents, the largest KL divergence first
    numbers = Bytes().tag(sync=True)  # float32 (4, latent_dim): z_mean, deviation, epsilon, kl
    shape = List(Int()).tag(sync=True)  # of a face
    original = Bytes().tag(sync=True)
    decoded = Bytes().tag(sync=True)
    error = Float().tag(sync=True)
    about = Unicode().tag(sync=True)
    facts = Unicode().tag(sync=True)

    def __init__(self, vae: VAE, images: np.ndarray, shown: int = SHOWN, seed: int = 0):
        self._epsilons = np.random.default_rng(seed)
        size = vae.image_size
        self.epsilon = self._new_epsilon(vae.latent_dim)
        self.z_mean = self.deviation = self.kl = np.zeros(vae.latent_dim, "float32")
        self._ready = False  # nothing is decoded before a face is chosen
        super().__init__(vae, images, seed, shown=shown, shape=[size, size, 3])
        self._kl_of_all = kl_per_latent(*vae.posterior(images))
        self._ready = True
        self.choose(0)

    @property
    def z(self) -> np.ndarray:
        noise = self.epsilon * self.deviation if self.source == "draw" else 0
        z = (self.z_mean + noise).astype("float32")
        for latent, value in self.value.items():
            z[latent] = value
        return z

    def choose(self, row: int) -> None:
        """Encode the face in this row of `images`; latents set by hand keep their values."""
        image = self._image(row)
        z_mean, z_log_var = self._vae.posterior(image[None])
        self.z_mean, self.deviation = z_mean[0], np.exp(0.5 * z_log_var[0])
        self.kl = kl_per_latent(z_mean, z_log_var).astype("float32")
        with self.hold_sync():
            self.original = png_bytes(image)
            self._mark(row)
            self._sort()
            self.selected = self.order[self.first]
            self._decode()

    def draw(self) -> None:
        """Draw epsilon anew, and decode the draw."""
        self.epsilon = self._new_epsilon(self._vae.latent_dim)
        if self.source == "draw":
            self._decode()
        self.source = "draw"

    def reset(self) -> None:
        """Forget what was set by hand."""
        self.value = {}

    def still(self) -> np.ndarray:
        on_page = self.order[self.first : self.first + self.shown]
        return still_of_inside(
            gallery=read_image(self.gallery),
            place=self.place,
            faces=(read_image(self.original), read_image(self.decoded)),
            latents=on_page,
            rows=np.stack([self.z_mean, self.deviation, self.z, self.kl])[:, on_page],
            by_hand=[latent in self.value for latent in on_page],
            captions=("face", f"decoded {self.source}"),
            sentences=(self.facts, self.about),
        )

    # -------------------------------------------------------------- the numbers of the face

    def _new_epsilon(self, latent_dim: int) -> np.ndarray:
        return self._epsilons.standard_normal(latent_dim).astype("float32")

    def _sort(self) -> None:
        kl = self.kl if self.sort_by == "this face" else self._kl_of_all
        self.order = np.argsort(-kl, kind="stable").tolist()

    def _decode(self) -> None:
        if not self._ready:
            return
        reach = np.abs(self.z_mean) + 2 * self.deviation
        by_hand = [abs(value) for value in self.value.values()]
        with self.hold_sync():
            self.limit = float(max(NARROWEST, math.ceil(max([reach.max(), *by_hand]))))
            numbers = [self.z_mean, self.deviation, self.epsilon, self.kl]
            self.numbers = np.stack(numbers).astype("<f4").tobytes()
            self.decoded = decode_to_png(self._vae, self.z)
            self.error = rmse(read_image(self.original), read_image(self.decoded))
            self._explain()

    def _explain(self) -> None:
        on_page = self.order[self.first : self.first + self.shown]
        with self.hold_sync():
            self.about = self._about(self.selected)
            shown = {"shown_sum": float(self.kl[on_page].sum()), "shown": len(on_page)}
            whole = {"sum": float(self.kl.sum()), "count": len(self.kl)}
            self.facts = say("inside_facts", **whole, **shown)

    def _about(self, latent: int) -> str:
        mean, deviation, kl = (float(row[latent]) for row in (self.z_mean, self.deviation, self.kl))
        z, epsilon = float(self.z[latent]), float(self.epsilon[latent])
        values = {"latent": latent, "mean": mean, "deviation": deviation, "z": z, "kl": kl}
        if latent in self.value:
            away = (z - mean) / max(deviation, SMALLEST)
            text = say(
                "inside_by_hand",
                **values,
                away=abs(away),
                side="above" if away > 0 else "below",
                far=abs(z),
                rare_face=rarity(away),
                rare_prior=rarity(z),
            )
        elif self.source == "draw":
            text = say("inside_draw", **values, epsilon=epsilon)
        else:
            text = say("inside_mean", **values)
        return text.replace("-", "−")

    # -------------------------------------------------------------- what may be assigned

    @validate("value")
    def _known_latents(self, proposal):
        inside = {}
        for name, value in proposal.value.items():
            latent = self._latent(name)
            number = finite_number(value, f"Latent {latent}")
            inside[latent] = min(max(number, -FARTHEST), FARTHEST)
        return inside

    @validate("selected")
    def _known_latent(self, proposal):
        return self._latent(proposal.value)

    def _latent(self, name: object) -> int:
        """The number of a latent; the page sends the keys of `value` as text."""
        text = str(name)
        latent = int(text) if text.isdecimal() and len(text) < 10 else -1
        if not 0 <= latent < len(self.z_mean):
            last = len(self.z_mean) - 1
            raise TraitError(f"There is no latent {text:.40}: this model has latents 0 to {last}.")
        return latent

    @validate("source", "sort_by")
    def _known_name(self, proposal):
        known = SOURCES if proposal.trait.name == "source" else ORDERS
        if proposal.value not in known:
            choices = " or ".join(map(repr, known))
            raise TraitError(f"{proposal.trait.name} is {proposal.value!r}: choose {choices}.")
        return proposal.value

    @validate("shown")
    def _at_least_one(self, proposal):
        if proposal.value < 1:
            raise TraitError(f"shown is {proposal.value}: give a number of latents from 1 on.")
        return min(proposal.value, len(self.z_mean))

    @validate("first")
    def _within_order(self, proposal):
        return min(max(proposal.value, 0), len(self.z_mean) - 1)

    @observe("value")
    def _on_value(self, change) -> None:
        changed = [latent for latent, z in change.new.items() if change.old.get(latent) != z]
        with self.hold_sync():
            if changed:
                self.selected = changed[0]
            self._decode()

    @observe("source")
    def _on_source(self, _) -> None:
        self._decode()

    @observe("sort_by")
    def _on_sort_by(self, _) -> None:
        with self.hold_sync():
            self._sort()
            self.first = 0
            self.selected = self.order[0]
            self._explain()

    @observe("first", "shown")
    def _on_first(self, _) -> None:
        if not self._ready:
            return
        with self.hold_sync():
            self.selected = self.order[self.first]
            self._explain()

    @observe("selected")
    def _on_selected(self, _) -> None:
        if self._ready:
            self._explain()

    def _on_message(self, content: Mapping, buffers: list) -> None:
        match content:
            case {"action": "draw" | "reset" as action}:
                getattr(self, action)()
            case _:
                super()._on_message(content, buffers)
