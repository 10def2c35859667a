"""The benchmark that compares histories: its table and its last line."""

import pandas as pd
import pytest

from benchmarks import histories


def made(*losses: float) -> pd.DataFrame:
    index = pd.Index(range(1, len(losses) + 1), name="epoch")
    return pd.DataFrame({"loss": losses, "val_loss": [-10.0] * len(losses), "kl": 0.0}, index=index)


@pytest.fixture
def table() -> pd.DataFrame:
    one, reordered = made(-100.0, -200.0, -300.0, -400.0), made(-100.001, -200.0, -300.0, -400.4)
    four = made(-100.0, -200.0, -300.0, -404.0)
    four.loc[1, "val_loss"] = -10.01
    return histories.differences({"1": one, histories.REORDERED: reordered, "4": four})


def test_the_loss_that_differs_more_counts(table):
    assert table["4"].tolist() == pytest.approx([1e-3, 0, 0, 1e-2])
    assert table[histories.REORDERED].tolist() == pytest.approx([1e-5, 0, 0, 1e-3])


def test_the_last_line_has_the_epochs_with_a_target(table):
    assert histories.last_line(table) == {
        "epoch_1": {"difference": 1e-3, "in_halves": 1e-5, "target": 1e-3},
        "epoch_4": {"difference": 1e-2, "in_halves": 1e-3, "target": 1e-2},
    }
    assert list(histories.last_line(table.loc[:2])) == ["epoch_1"]
