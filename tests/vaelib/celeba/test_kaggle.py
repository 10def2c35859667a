"""Fetching CelebA from Kaggle."""

import sys
import types

import pytest

from tests.vaelib.celeba.hand_outs import PREPARE, check, nested_by_kaggle
from vaelib.celeba import prepare
from vaelib.celeba.kaggle import BY_HAND, HUGGING_FACE, KAGGLE, fetch_from_kaggle


class Refusal(Exception):
    def __init__(self, status: int):
        self.response = types.SimpleNamespace(status_code=status)


@pytest.fixture
def kagglehub(monkeypatch):
    """Stands in for the real one: `token` and `answer` are what it has and gives."""
    module, config = types.ModuleType("kagglehub"), types.ModuleType("kagglehub.config")
    module.token, module.answer = "KGAT_1", None

    def download(handle: str) -> str:
        assert handle == KAGGLE
        if isinstance(module.answer, Exception):
            raise module.answer
        return str(module.answer)

    module.dataset_download = download
    config.get_kaggle_credentials = lambda: module.token
    module.config = config
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    monkeypatch.setitem(sys.modules, "kagglehub.config", config)
    return module


def test_with_a_token_kaggle_is_asked(files, tmp_path, kagglehub):
    kagglehub.answer = nested_by_kaggle(files, tmp_path / "cache")
    prepare(fetch_from_kaggle(), tmp_path / "celeba")
    check(files, tmp_path / "celeba")


def test_without_a_token_or_kagglehub_kaggle_is_not_asked(kagglehub, monkeypatch):
    kagglehub.token = None
    assert fetch_from_kaggle() is None
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    assert fetch_from_kaggle() is None


@pytest.mark.parametrize(
    "answer, part",
    [
        (Refusal(401), "https://www.kaggle.com/settings"),
        (Refusal(403), "accept them"),
        (Refusal(500), "try again"),
        (ConnectionError("no network"), "connection"),
    ],
)
def test_what_kaggle_refuses_is_one_sentence(kagglehub, one_sentence, answer, part):
    kagglehub.answer = answer
    with pytest.raises(OSError) as error:
        fetch_from_kaggle()
    one_sentence(error.value, KAGGLE, part)


def test_the_ways_by_hand_name_every_file_that_is_known():
    for name in (*PREPARE.MD5, KAGGLE, HUGGING_FACE):
        assert name in BY_HAND
