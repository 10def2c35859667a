"""One place of data, whoever asks and from where."""

from pathlib import Path

from groundwork import places

ROOT = Path(__file__).resolve().parents[2]


def test_in_the_repository_it_is_its_own_data(monkeypatch, tmp_path):
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert places.data_folder() == ROOT / "data"
    assert places.runs_folder() == ROOT / "runs"


def test_a_variable_names_another_place(monkeypatch, tmp_path):
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    assert places.data_folder() == tmp_path


def test_an_installed_package_uses_the_users_own_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(places.VARIABLE, raising=False)
    monkeypatch.setattr(places, "ROOT", tmp_path)
    assert places.repository() is None
    assert places.data_folder().name == "latent-faces" and places.data_folder().is_absolute()
    assert places.runs_folder() == places.data_folder() / "runs"
