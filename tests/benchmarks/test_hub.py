"""Tests of benchmarks/hub.py: its last line, and what it reads of a program's memory."""

import os

import pandas as pd
import psutil
import pytest

from benchmarks.hub import KEPT, memory, summary


def test_users_are_counted_by_what_is_theirs_alone():
    rows = pd.DataFrame(
        {"seconds": [0, 2, 4], "pss": [0.5, 1.9, 1.3], "alone": [0.25, 1.5, 1.0]},
    )
    found = summary(rows, shared=0.5, machine=KEPT + 0.5 + 4.4)
    assert found == {
        **{"pss_gb": 1.9, "alone_gb": 1.5, "after_gb": 1.0, "shared_gb": 0.5},
        **{"users": 2, "users_after": 4},
    }


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps_rollup"), reason="Linux alone tells it")
def test_what_is_alone_is_a_part_of_the_share():
    pss, alone = memory([psutil.Process()])
    assert 0.01 < alone <= pss < 50
