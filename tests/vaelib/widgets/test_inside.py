"""The inside: its traits are set from Python, as the page would set them."""

import math

import numpy as np
import pytest
from traitlets import TraitError

from tests.colours import COLOURS, DEVIATION, FACES, SliderModel, close, colour
from vaelib.metrics import kl_per_latent
from vaelib.widgets.inside import FARTHEST, NARROWEST, Inside, rarity


def numbers(inside) -> np.ndarray:
    """What the page knows: rows of means, deviations, epsilon, KL divergences."""
    return np.frombuffer(inside.numbers, "<f4").reshape(4, -1)


def page_sets(inside, **state) -> None:
    """Set traits by a message of the page."""
    inside.set_state(state)


@pytest.mark.parametrize(
    "deviations, words",
    [
        (0, "100 in 100"),
        (0.6745, "50 in 100"),
        (-2, "1 in 22"),
        (3, "1 in 370"),
        (5, "fewer than 1 in a million"),
        (-40, "fewer than 1 in a billion"),
    ],
)
def test_rarity_says_how_many_draws_lie_as_far_out(deviations, words):
    assert rarity(deviations) == words


def test_rarity_agrees_with_draws():
    draws = np.abs(np.random.default_rng(0).standard_normal(400_000))
    for deviations in (1.7, 2.5):
        share = int(rarity(deviations).removeprefix("1 in "))
        assert (draws > deviations).mean() == pytest.approx(1 / share, rel=0.1)


def test_it_begins_with_a_draw_from_the_posterior_of_the_first_face(inside):
    z_mean, deviation, epsilon, kl = numbers(inside)
    np.testing.assert_allclose(z_mean[:3], COLOURS[0], atol=1e-6)
    np.testing.assert_allclose(deviation, [DEVIATION] * 3 + [1], rtol=1e-6)
    np.testing.assert_allclose(inside.z, z_mean + deviation * epsilon, atol=1e-6)
    by_hand = [(m**2 + s**2 - 1) / 2 - math.log(s) for m, s in zip(z_mean, deviation)]
    np.testing.assert_allclose(kl, by_hand, atol=1e-5)
    assert close(colour(inside.decoded), np.clip(inside.z[:3], 0, 1))
    assert close(colour(inside.original), COLOURS[0])


def test_the_mean_decodes_to_the_face_itself(inside):
    inside.source = "mean"
    np.testing.assert_array_equal(inside.z, numbers(inside)[0])
    assert inside.decoded == inside.original
    assert inside.error == 0


def test_the_error_is_that_of_the_decoded_face(inside):
    difference = np.clip(inside.z[:3], 0, 1) - COLOURS[0]
    assert inside.error == pytest.approx(255 * math.sqrt((difference**2).mean()), abs=0.6)


def test_every_draw_has_an_epsilon_of_its_own_and_the_seed_repeats_them():
    one, other = (Inside(SliderModel(), FACES, seed=3) for _ in range(2))
    seen = []
    for _ in range(400):
        one._handle_custom_msg({"action": "draw"}, [])
        other.draw()
        np.testing.assert_array_equal(one.epsilon, other.epsilon)
        seen.append(one.epsilon)
    assert np.abs(np.mean(seen)) < 0.1 and abs(np.std(seen) - 1) < 0.1
    assert len({tuple(epsilon) for epsilon in seen}) == 400


def test_to_draw_is_to_leave_the_mean(inside):
    inside.source = "mean"
    before = inside.decoded
    inside.draw()
    assert inside.source == "draw"
    assert inside.decoded != before
    assert close(colour(inside.decoded), np.clip(inside.z[:3], 0, 1))


@pytest.mark.parametrize("source", ["mean", "draw"])
def test_a_latent_set_by_hand_changes_itself_alone(inside, source):
    inside.source = source
    before, kl = inside.z, inside.kl
    page_sets(inside, value={"1": 0.9})
    expected = before.copy()
    expected[1] = 0.9
    np.testing.assert_allclose(inside.z, expected)
    assert inside.value == {1: 0.9}
    assert close(colour(inside.decoded), np.clip(expected[:3], 0, 1))
    np.testing.assert_array_equal(inside.kl, kl)  # the posterior is what it was
    inside._handle_custom_msg({"action": "reset"}, [])
    np.testing.assert_array_equal(inside.z, before)


def test_what_is_set_by_hand_stays_for_another_face(inside):
    inside.value = {2: 0.25}
    inside.choose(4)
    assert inside.z[2] == 0.25
    np.testing.assert_allclose(inside.z_mean[:3], COLOURS[4], atol=1e-6)


def test_the_axis_reaches_as_far_as_any_latent(inside):
    assert inside.limit == NARROWEST
    inside.value = {0: -6.2}
    assert inside.limit == 7
    inside.value = {0: 99}
    assert inside.value == {0: FARTHEST}
    assert inside.limit == FARTHEST
    inside.reset()
    assert inside.limit == NARROWEST


def test_latents_are_sorted_by_the_kl_of_this_face_or_of_all(inside):
    for row in (0, 3):
        inside.choose(row)
        kl = kl_per_latent(*SliderModel().posterior(FACES[row : row + 1]))
        assert inside.order == np.argsort(-kl).tolist()
        assert inside.selected == inside.order[0]
    inside.sort_by = "all faces"
    kl = kl_per_latent(*SliderModel().posterior(FACES))
    assert inside.order == np.argsort(-kl).tolist()
    before = inside.order
    inside.choose(0)
    assert inside.order == before


def test_the_last_latents_are_on_the_last_page(inside):
    assert inside.order[-1] == 3  # it is N(0, 1) for every face
    page_sets(inside, first=3)
    assert inside.selected == 3
    assert "over the 1 shown" in inside.facts
    inside.first = 99
    assert inside.first == 3
    inside.first = -1
    assert inside.first == 0
    assert Inside(SliderModel(), FACES).shown == 4  # there are no more


def test_the_sentence_computes_z(inside):
    page_sets(inside, selected=1)
    z_mean, deviation, epsilon, kl = (float(row[1]) for row in numbers(inside))
    parts = f"= {z_mean:.2f} + {deviation:.2f} × ({epsilon:.2f}) = {inside.z[1]:.2f}"
    assert parts.replace("-", "−") in inside.about
    assert f"{kl:.1f} nats" in inside.about
    inside.source = "mean"
    assert f"z = mean = {z_mean:.2f};" in inside.about


def test_a_latent_set_by_hand_is_told_how_unlikely_it_is(inside):
    mean = float(inside.z_mean[1])
    inside.value = {1: mean + 2 * DEVIATION}
    assert inside.selected == 1
    assert "is 2.0 deviations above the mean of this face" in inside.about
    assert "Draws as far away: 1 in 22 for this face" in inside.about
    inside.value = {1: -3}
    assert "below the mean of this face" in inside.about
    assert "and 3.0 from 0" in inside.about
    assert "fewer than 1 in a billion for this face, 1 in 370 for the prior" in inside.about


def test_the_kl_of_the_whole_face_is_said(inside):
    kl = numbers(inside)[3]
    assert f"{kl.sum():.0f} nats over all 4 latents" in inside.facts
    assert f"{np.sort(kl)[1:].sum():.0f} nats over the 3 shown" in inside.facts


def test_its_picture_shows_what_it_shows(inside):
    before = inside.still()
    inside.value = {inside.order[0]: -3.0}
    after = inside.still()
    assert after.shape == before.shape
    assert (after != before).any()
    inside.reset()
    np.testing.assert_array_equal(inside.still(), before)


@pytest.mark.parametrize(
    "state, parts",
    [
        ({"value": {"4": 1}}, ["no latent 4", "0 to 3"]),
        ({"value": {"eye": 1}}, ["no latent eye"]),
        ({"value": {"9" * 5000: 1}}, ["no latent 999"]),
        ({"selected": 4}, ["no latent 4"]),
        ({"selected": -1}, ["no latent -1"]),
        ({"source": "median"}, ["source is 'median'", "'mean' or 'draw'"]),
        ({"sort_by": "name"}, ["sort_by is 'name'", "'this face' or 'all faces'"]),
        ({"shown": 0}, ["shown is 0"]),
    ],
    ids=[f"{i}" for i in range(8)],
)
def test_what_is_not_there_is_one_sentence(inside, state, parts, one_sentence):
    before = inside.get_state()
    for assign in (inside.set_state, lambda state: [setattr(inside, *i) for i in state.items()]):
        with pytest.raises(TraitError) as error:
            assign(state)
        one_sentence(error.value, *parts)
        assert inside.get_state() == before


def test_a_deviation_of_zero_is_no_trouble(monkeypatch):
    def certain(self, images):
        z_mean = self.encode(images)
        return z_mean, np.full_like(z_mean, -300)

    monkeypatch.setattr(SliderModel, "posterior", certain)
    inside = Inside(SliderModel(), FACES)
    inside.value = {0: 1}
    assert "fewer than 1 in a billion for this face" in inside.about
