"""The Fréchet distance, against what is known of normal distributions."""

import numpy as np
import pytest

from vaelib.frechet import frechet_distance, frechet_from_moments, moments


def cloud(mean, covariance, count: int = 12) -> np.ndarray:
    """Rows whose mean and covariance are exactly these."""
    rows = np.random.default_rng(5).normal(size=(count, len(mean)))
    rows -= rows.mean(axis=0)
    whitened = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return whitened @ np.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_a_cloud_from_itself_and_from_itself_moved():
    rows = np.random.default_rng(6).normal(size=(40, 5))
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    shift = np.array([1.0, -2, 0, 3, 0.5])
    assert frechet_distance(rows + shift, rows) == pytest.approx(shift @ shift)


def test_frechet_distance_on_a_line_is_of_means_and_deviations():
    rows = np.random.default_rng(7).normal(size=(30, 1))
    m, s = rows.mean(), rows.std(ddof=1)
    expected = (2 * s) ** 2 + (3 * m + 1 - m) ** 2  # three times as wide
    assert frechet_distance(3 * rows + 1, rows) == pytest.approx(expected)


def test_frechet_distance_of_covariances_that_commute():
    turn, _ = np.linalg.qr(np.random.default_rng(8).normal(size=(3, 3)))
    for axes in (np.eye(3), turn):
        a, b = np.array([1.0, 4, 9]), np.array([4.0, 1, 0.25])
        first = cloud(np.zeros(3), axes @ np.diag(a) @ axes.T)
        second = cloud(np.array([0, 0, 2.0]), axes @ np.diag(b) @ axes.T)
        expected = 4 + np.square(np.sqrt(a) - np.sqrt(b)).sum()
        assert frechet_distance(first, second) == pytest.approx(expected)


def test_frechet_distance_of_any_covariances():
    """The trace of the root is the sum of the roots of the eigenvalues of the product."""
    rng = np.random.default_rng(9)
    (m1, m2), (f1, f2) = rng.normal(size=(2, 4)), rng.normal(size=(2, 4, 4))
    c1, c2 = f1 @ f1.T, f2 @ f2.T
    cross = np.sqrt(np.linalg.eigvals(c1 @ c2).real).sum()
    expected = np.square(m1 - m2).sum() + np.trace(c1) + np.trace(c2) - 2 * cross
    assert frechet_from_moments((m1, c1), (m2, c2)) == pytest.approx(expected)
    both = cloud(m1, c1), cloud(m2, c2)
    assert frechet_distance(*both) == pytest.approx(expected)
    assert frechet_distance(*both[::-1]) == pytest.approx(expected)


@pytest.mark.parametrize("rows", [np.ones((1, 4)), np.full((5, 4), np.nan)])
def test_features_without_a_distance(rows, one_sentence):
    with pytest.raises(ValueError) as error:
        frechet_from_moments(moments(rows), moments(np.ones((3, 4))))
    one_sentence(error.value, "features")


def test_frechet_distance_of_flat_clouds_is_finite():
    rows = np.random.default_rng(10).normal(size=(3, 8))  # fewer rows than directions
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(rows, np.zeros((4, 8))) == pytest.approx(
        np.square(rows.mean(axis=0)).sum() + rows.var(axis=0, ddof=1).sum()
    )


@pytest.mark.parametrize(
    "shapes", [((5, 3), (5, 4)), ((1, 3), (5, 3)), ((5, 3), (1, 3)), ((5,),) * 2]
)
def test_clouds_that_do_not_compare_are_an_error(shapes, one_sentence):
    with pytest.raises(ValueError) as error:
        frechet_distance(*map(np.zeros, shapes))
    one_sentence(error.value, *shapes)
