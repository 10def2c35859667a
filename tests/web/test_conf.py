"""The buttons of the site: they follow from the address of the repository."""

import runpy
from pathlib import Path

import pytest

from tools import site

CONF = Path(__file__).resolve().parents[2] / "web" / "conf.py"
ADDRESS = "https://github.com/somebody/latent-faces"


@pytest.fixture
def options(monkeypatch):
    """The theme's options, for a repository and for whether Colab opens its notebooks."""

    def read(repository: str, colab: str) -> dict:
        monkeypatch.setenv("LATENT_FACES_REPOSITORY", repository)
        monkeypatch.setenv("LATENT_FACES_COLAB", colab)
        return runpy.run_path(str(CONF))["html_theme_options"]

    return read


def test_without_an_address_there_are_no_links(options):
    assert not {"repository_url", "launch_buttons"} & set(options("", "no"))


@pytest.mark.parametrize("colab", ["yes", "no"])
def test_colab_has_a_button_only_if_it_opens_the_notebooks(options, colab):
    buttons = options(ADDRESS, colab)["launch_buttons"]
    assert "binderhub_url" in buttons
    assert ("colab_url" in buttons) == (colab == "yes")


@pytest.mark.parametrize(
    "own, given, opens",
    [
        (ADDRESS, ADDRESS, True),
        (ADDRESS, f"{ADDRESS}/", True),
        ("", ADDRESS, False),  # the first cell of a notebook would ask for it
        (ADDRESS, "https://github.com/somebody/fork", False),
        ("https://gitlab.com/a/b", "https://gitlab.com/a/b", False),  # Colab opens GitHub alone
    ],
)
def test_colab_opens_notebooks_that_know_their_address(monkeypatch, own, given, opens):
    monkeypatch.setattr(site, "own_address", lambda: own)
    assert site.opens_in_colab(given) == opens
