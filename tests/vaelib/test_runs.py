"""The folder of a run: names, checkpoints, settings, and the models in it."""

import json
import os
import shutil
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from tests.vaelib.stopping import OPTIONS, Stopped, damage
from vaelib import read_faces, runs
from vaelib.archives import TooLarge
from vaelib.model import VAE
from vaelib.optimizer import Muon
from vaelib.runs import is_over, load_model, new_run, newest_run
from vaelib.schedule import warmup_cosine
from vaelib.training import train

# Names, and the newest run


def test_runs_have_names_of_their_own(tmp_path):
    runs = [new_run(tmp_path / "runs") for _ in range(5)]
    assert len(set(runs)) == 5
    assert all(run.is_dir() and not list(run.iterdir()) for run in runs)
    pd.to_datetime(runs[0].name, format="%Y-%m-%d_%H-%M-%S")


def finished(folder, order: int):
    folder.mkdir(parents=True)
    (folder / "vae.keras").write_bytes(b"")
    os.utime(folder / "vae.keras", (1_000_000 + order, 1_000_000 + order))
    return folder


def test_the_newest_run_is_the_one_that_finished_last(tmp_path):
    finished(tmp_path / "b", 1)
    newest = finished(tmp_path / "a", 3)
    finished(tmp_path / "c", 2)
    assert newest_run(tmp_path) == newest


def test_the_newest_run_may_be_asked_for_by_its_faces(tmp_path, faces, one_sentence):
    oldest = finished(tmp_path / "0", 0)
    (oldest / "faces.txt").write_text(runs.identity_of(faces))
    older = finished(tmp_path / "a", 1)  # older versions noted the folder
    (older / "faces.txt").write_text(str(faces.folder.resolve()))
    other = finished(tmp_path / "b", 2)
    (other / "faces.txt").write_text("/somewhere/else")
    finished(tmp_path / "c", 3)
    damaged = finished(tmp_path / "d", 4)
    (damaged / "faces.txt").write_bytes(b"\xff\x00")
    (finished(tmp_path / "e", 5) / "faces.txt").mkdir()
    assert newest_run(tmp_path, faces) == older
    (older / "faces.txt").unlink()
    assert newest_run(tmp_path, faces) == oldest
    (oldest / "faces.txt").unlink()
    with pytest.raises(FileNotFoundError) as error:
        newest_run(tmp_path, faces)
    one_sentence(error.value, faces.folder, "notebook 03")


def test_an_unfinished_run_does_not_count(tmp_path, one_sentence):
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "checkpoint.keras").write_bytes(b"")
    (tmp_path / "z" / ".123.vae.keras").write_bytes(b"")
    with pytest.raises(FileNotFoundError) as error:
        newest_run(tmp_path)
    one_sentence(error.value, tmp_path, "notebook 03", "pretrained")
    assert newest_run_after(tmp_path) == tmp_path / "a"


def newest_run_after(tmp_path):
    finished(tmp_path / "a", 0)
    return newest_run(tmp_path)


def test_without_any_run_newest_run_is_one_sentence(tmp_path, one_sentence):
    with pytest.raises(FileNotFoundError) as error:
        newest_run(tmp_path / "nowhere")
    one_sentence(error.value, "nowhere")


def test_the_run_of_a_stopped_training_is_not_finished(faces, new_vae, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    vae = new_vae()
    monkeypatch.setattr(VAE, "fit", stop)
    with pytest.raises(KeyboardInterrupt):
        train(vae, faces, tmp_path / "runs" / "one", epochs=1, steps_per_epoch=1)
    with pytest.raises(FileNotFoundError):
        newest_run(tmp_path / "runs")


# The faces of a run


def test_faces_are_the_same_wherever_their_folder_is(folder, faces, tmp_path):
    here = runs.identity_of(faces)
    copied = shutil.copytree(folder, tmp_path / "copied", copy_function=shutil.copyfile)
    assert runs.identity_of(read_faces(copied)) == here
    moved = copied.rename(tmp_path / "moved")
    assert runs.identity_of(read_faces(moved)) == here


@pytest.mark.parametrize("change", ["image", "label", "attribute", "split", "name", "less"])
def test_other_faces_are_others(folder, faces, tmp_path, change):
    copied = shutil.copytree(folder, tmp_path / "copied")
    other = read_faces(copied)
    first = faces.file_names()[0]
    if change == "image":
        with other.path(first).open("ab") as file:
            file.write(b"more")
    elif change == "label":
        other.attributes.loc[first, "Male"] ^= True
    elif change == "attribute":
        other = replace(other, attributes=other.attributes.rename(columns={"Male": "Female"}))
    elif change == "split":
        other.splits[first] = "test"
    elif change == "name":
        renamed = {first: "another.jpg"}
        tables = {"attributes": other.attributes, "splits": other.splits, "files": other.files}
        other = replace(other, **{name: table.rename(renamed) for name, table in tables.items()})
    else:
        tables = {"attributes": other.attributes, "splits": other.splits, "files": other.files}
        other = replace(other, **{name: table[:-1] for name, table in tables.items()})
    assert runs.identity_of(other) != runs.identity_of(faces)


def going_on_until_fit(run, faces, new_vae, monkeypatch) -> None:
    """What `train` does before it trains; raises Stopped then."""

    def fit(*_, **__):
        raise Stopped

    monkeypatch.setattr(VAE, "fit", fit)
    train(new_vae(9, sigma=None), faces, run, **OPTIONS)


def test_a_run_goes_on_after_its_faces_were_moved(
    stopped, faces, folder, new_vae, tmp_path, monkeypatch, capsys, one_sentence
):
    run = shutil.copytree(stopped, tmp_path / "run")
    moved = shutil.copytree(folder, tmp_path / "moved", copy_function=shutil.copyfile)
    with pytest.raises(Stopped):
        going_on_until_fit(run, read_faces(moved), new_vae, monkeypatch)
    assert f"{run} goes on after epoch 3." in capsys.readouterr().out
    with (moved / "img_align_celeba" / "000001.jpg").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError) as error:
        going_on_until_fit(run, read_faces(moved), new_vae, monkeypatch)
    one_sentence(error.value, run, "fingerprint", "choose another folder")


def test_a_run_of_an_older_version_knows_its_faces_by_their_folder(
    stopped, faces, folder, new_vae, tmp_path, monkeypatch, one_sentence
):
    run = shutil.copytree(stopped, tmp_path / "run")
    settings = json.loads((run / "settings.json").read_text())
    del settings["fingerprint"]
    (run / "settings.json").write_text(json.dumps({**settings, "faces": "/elsewhere"}))
    with pytest.raises(ValueError) as error:
        going_on_until_fit(run, faces, new_vae, monkeypatch)
    one_sentence(error.value, run, f"faces /elsewhere (now {folder})")
    (run / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(Stopped):
        going_on_until_fit(run, faces, new_vae, monkeypatch)


# Checkpoints


def test_a_run_is_over_after_its_epochs_its_patience_or_its_time():
    history = pd.DataFrame({"val_loss": [5.0, 3.0, 4.0], "seconds": [20.0, 40.0, 61.0]})
    assert not is_over(history, 4, None, None)
    assert is_over(history, 3, None, None)
    assert not is_over(history, 4, 2, None)
    assert is_over(history, 4, 1, None)
    assert is_over(history, None, None, 1.0)
    assert not is_over(history, None, None, 1.1)
    assert not is_over(history[:0], 4, 1, 1.0)


DAMAGES = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "random": lambda content: np.random.default_rng(0).bytes(1000),
    "list": lambda content: b"[1, 2]",
    "object": lambda content: b"{}",
    "number": lambda content: b"1",
    "brackets": lambda content: b"[" * 10**5,
    "other columns": lambda content: b"epoch,a\n1,1\n2,2\n3,3\n",
    "text": lambda content: b"epoch,loss,val_loss,seconds\n1,a,b,c\n2,a,b,c\n3,a,b,c\n",
    "a row less": lambda content: content[: content.rfind(b"\n", 0, -1) + 1],
}


def damage_checkpoint(path, damage: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if damage == "other zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("hello.txt", "hello")
    elif damage != "missing":
        path.write_bytes(DAMAGES[damage](content))


@pytest.mark.parametrize("kind", ["half", "bit", "empty"])
def test_every_damage_is_seen(stopped, new_vae, tmp_path, capsys, kind):
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "checkpoints" / "epoch_003.keras", kind)
    vae = new_vae(sigma=None)
    vae.compile(Muon(warmup_cosine(12)))
    assert len(runs.resume(vae, tmp_path)) == 2
    assert int(vae.optimizer.iterations) == 6
    assert "epoch_003.keras is damaged" in capsys.readouterr().out


def test_without_a_whole_checkpoint_nothing_is_loaded(stopped, new_vae, tmp_path, capsys):
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    for path in runs.checkpoints(tmp_path):
        damage(path, "empty")
    vae = new_vae()
    vae.compile(Muon(warmup_cosine(12)))
    before = vae.get_weights()
    assert runs.resume(vae, tmp_path).empty
    assert len(capsys.readouterr().out.splitlines()) == 2
    for a, b in zip(before, vae.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_checkpoint_of_another_model_is_one_sentence(stopped, new_vae, one_sentence):
    vae = new_vae(latent_dim=7)
    vae.compile(Muon(warmup_cosine(12)))
    with pytest.raises(ValueError) as error:
        runs.resume(vae, stopped)
    one_sentence(error.value, "epoch_003.keras", "another model")


@pytest.mark.parametrize("damage", ["empty", "half", "zeros", "random", "missing", "other zip"])
def test_damaged_checkpoints_are_one_sentence_or_left_out(
    stopped, faces, new_vae, tmp_path, monkeypatch, damage, one_sentence, capsys
):
    run = shutil.copytree(stopped, tmp_path / "run")
    (run / "checkpoints" / "epoch_003 copy.keras").write_bytes(b"")  # of a file browser
    path = run / "checkpoints" / "epoch_003.keras"
    damage_checkpoint(path, damage)
    with pytest.raises((Stopped, ValueError)) as error:
        going_on_until_fit(run, faces, new_vae, monkeypatch)
    if damage == "other zip":
        one_sentence(error.value, path, "another model", "another folder")
    else:
        assert isinstance(error.value, Stopped)
        assert f"{run} goes on after epoch 2." in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["empty", "half", "zeros", "random", "missing", "other zip"])
def test_a_damaged_best_checkpoint_is_one_sentence(
    whole, faces, new_vae, tmp_path, damage, one_sentence
):
    run = shutil.copytree(whole.run, tmp_path / "run")
    (run / "vae.keras").unlink()
    settings = json.loads((run / "settings.json").read_text())
    (run / "settings.json").write_text(json.dumps({**settings, "patience": 9}))
    path = run / "checkpoint.keras"
    damage_checkpoint(path, damage)
    with pytest.raises(ValueError) as error:
        train(new_vae(sigma=None), faces, run, **OPTIONS, patience=9)
    one_sentence(error.value, path, "another folder")
    assert not (run / "vae.keras").exists()


# Settings and history


@pytest.mark.parametrize("damage", [*DAMAGES, "missing", "folder"])
@pytest.mark.parametrize("name", ["settings.json", "history.csv"])
def test_a_damaged_table_or_setting_is_one_sentence(
    stopped, faces, new_vae, tmp_path, monkeypatch, name, damage, one_sentence
):
    run = shutil.copytree(stopped, tmp_path / "run")
    path = run / name
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(DAMAGES[damage](content))
    before = sorted(run.rglob("*"))
    if (name, damage) == ("settings.json", "missing"):  # what the sentence advises
        with pytest.raises(Stopped):
            going_on_until_fit(run, faces, new_vae, monkeypatch)
        return
    with pytest.raises(ValueError) as error:
        going_on_until_fit(run, faces, new_vae, monkeypatch)
    one_sentence(error.value, path, "another folder")
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize(
    ("sigma", "changes"),
    [
        (None, {"epochs": 5}),
        (None, {"batch_size": 16, "seed": 1}),
        (None, {"minutes": 2.0}),
        (0.1, {}),
    ],
)
def test_other_settings_are_one_sentence_that_names_them(
    stopped, faces, new_vae, sigma, changes, one_sentence
):
    before = sorted(stopped.rglob("*"))
    with pytest.raises(ValueError) as error:
        train(new_vae(sigma=sigma), faces, stopped, **{**OPTIONS, **changes})
    started = json.loads((stopped / "settings.json").read_text())
    now = changes or {"sigma": sigma}
    one_sentence(error.value, stopped, *(f"{k} {started[k]} (now {v})" for k, v in now.items()))
    assert sorted(stopped.rglob("*")) == before


# Models


def test_the_copy_without_optimizer_has_all_weights(new_vae, images):
    vae = new_vae(sigma=None)
    vae.compile(run_eagerly=True)
    vae.fit(images[:8], batch_size=4, verbose=0)
    vae.fit_latents(images)
    copy = runs.without_optimizer(vae)
    assert (copy.sigma, copy.estimates_sigma) == (vae.sigma, True)
    np.testing.assert_array_equal(copy.latent_factor, vae.latent_factor)
    np.testing.assert_array_equal(copy.encode(images), vae.encode(images))


@pytest.fixture(scope="module")
def saved(vae, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "vae.keras"
    vae.save(path)
    return path


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_a_model_is_loaded_by_its_path(saved, vae, kind):
    loaded = load_model(kind(saved), image_size=32)
    assert isinstance(loaded, VAE)
    for a, b in zip(loaded.get_weights(), vae.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_mine_is_the_newest_finished_run(saved, tmp_path, monkeypatch):
    run = tmp_path / "2026-01-31_12-00-00"
    run.mkdir()
    shutil.copy(saved, run / "vae.keras")
    monkeypatch.setattr(runs, "newest_run", lambda faces: newest_run(tmp_path, faces))
    assert load_model("mine").latent_dim == 4


def test_pretrained_are_the_models_of_the_course(saved, tmp_path, monkeypatch):
    monkeypatch.setitem(runs.PRETRAINED, "pretrained", saved)
    monkeypatch.setitem(runs.PRETRAINED, "pretrained-128", tmp_path / "none.keras")
    assert load_model().latent_dim == 4
    assert load_model("pretrained").latent_dim == 4
    with pytest.raises(FileNotFoundError, match=r"none\.keras"):
        load_model("pretrained-128")


def test_without_the_repository_the_pretrained_model_is_said_to_come_with_it(
    tmp_path, monkeypatch, one_sentence
):
    monkeypatch.setitem(runs.PRETRAINED, "pretrained", tmp_path / "vae.keras")
    with pytest.raises(FileNotFoundError) as error:
        load_model("pretrained")
    one_sentence(error.value, tmp_path / "vae.keras", "repository", "copy", "vaelib train")


@pytest.mark.slow
def test_models_and_runs_are_in_the_repository_or_with_the_users_data(python, monkeypatch):
    monkeypatch.setenv("LATENT_FACES_DATA", "/my/data")
    code = """
from pathlib import Path
from groundwork import places
if {}:
    places.ROOT = Path("/no/repository")
from vaelib import runs
print(runs.PRETRAINED["pretrained"], runs.RUNS)
"""
    root = runs.PRETRAINED["pretrained"].parents[2]
    inside, outside = (python("-c", code.format(is_outside)).stdout for is_outside in (0, 1))
    assert inside.split() == [str(root / "data/pretrained/vae.keras"), str(root / "runs")]
    assert outside.split() == ["/my/data/pretrained/vae.keras", "/my/data/runs"]


def test_a_missing_model_is_one_sentence(tmp_path, one_sentence):
    with pytest.raises(FileNotFoundError) as error:
        load_model(tmp_path / "nothing.keras")
    one_sentence(error.value, tmp_path / "nothing.keras", "pretrained", "mine")


@pytest.mark.parametrize("content", ["garbage", "half", "empty"])
def test_a_file_that_is_no_model_is_one_sentence(saved, tmp_path, content, one_sentence):
    path, whole = tmp_path / "bad.keras", saved.read_bytes()
    path.write_bytes(
        {"garbage": b"hello" * 99, "half": whole[: len(whole) // 2], "empty": b""}[content]
    )
    with pytest.raises(ValueError) as error:
        load_model(path)
    one_sentence(error.value, path, "not a whole .keras model")


@pytest.mark.parametrize("name", ["model.txt", "model.h5", "folder"])
def test_a_path_of_another_kind_is_one_sentence(tmp_path, name, one_sentence):
    path = tmp_path / name
    path.mkdir() if name == "folder" else path.write_bytes(b"hello")
    with pytest.raises(ValueError) as error:
        load_model(path)
    one_sentence(error.value, path)


def test_another_keras_model_is_one_sentence(tmp_path, one_sentence):
    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Dense(1)(inputs)).save(tmp_path / "other.keras")
    with pytest.raises(ValueError) as error:
        load_model(tmp_path / "other.keras")
    one_sentence(error.value, tmp_path / "other.keras", "Functional", "VAE", "another file")


def test_a_model_that_would_run_code_is_refused_in_one_sentence(tmp_path, one_sentence):
    inputs = keras.Input((2,))
    outputs = keras.layers.Lambda(lambda x: x + 1)(inputs)
    keras.Model(inputs, outputs).save(tmp_path / "unsafe.keras")
    with pytest.raises(ValueError) as error:
        load_model(tmp_path / "unsafe.keras")
    one_sentence(error.value, tmp_path / "unsafe.keras")


def test_a_model_for_faces_of_another_size_is_one_sentence(saved, one_sentence):
    with pytest.raises(ValueError) as error:
        load_model(saved, image_size=64)
    one_sentence(error.value, saved, "32", "64", "image_size=32")


def fail_with(error, monkeypatch):
    def load_archive(path):
        raise error

    monkeypatch.setattr(runs, "load_archive", load_archive)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "vae.keras"
    path.write_bytes(b"a model")
    return path


def test_a_file_that_may_not_be_read_is_not_to_be_trained_again(path, monkeypatch, one_sentence):
    # Root may read every file, so the answer is faked.
    fail_with(PermissionError(13, "Permission denied", str(path)), monkeypatch)
    with pytest.raises(PermissionError) as error:
        load_model(path)
    one_sentence(error.value, path, "may not be read", "permissions")
    assert "train it again" not in str(error.value)


def test_a_file_that_would_fill_the_memory_is_refused_by_its_own_sentence(path, monkeypatch):
    fail_with(TooLarge("The sentence."), monkeypatch)
    with pytest.raises(ValueError, match=r"^The sentence\.$"):
        load_model(path)


@pytest.mark.parametrize("name", ["vae.h5", "folder.keras"])
def test_what_is_no_keras_file_is_told_at_once(tmp_path, name, one_sentence):
    other = tmp_path / name
    other.mkdir() if name.startswith("folder") else other.write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ValueError) as error:
        load_model(other)
    one_sentence(error.value, other, "is no .keras file")
