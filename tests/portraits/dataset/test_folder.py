"""A folder of portraits."""

from portraits.dataset.folder import foreign_entries, partition


def test_partition_shares():
    splits = [partition(number) for number in range(1, 20_001)]
    assert [splits.count(split) for split in (0, 1, 2)] == [18_000, 1_000, 1_000]


def test_what_systems_and_killed_programs_leave_is_not_foreign(tmp_path):
    for name in (".DS_Store", ".portraits.lock", ".part-12345678-000001.jpg", "thesis", "cat.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "img_align_celeba").mkdir()
    assert foreign_entries(tmp_path) == ["cat.jpg", "img_align_celeba", "thesis"]
    (tmp_path / "thesis").unlink()
    (tmp_path / "cat.jpg").unlink()
    assert foreign_entries(tmp_path) == []
    (tmp_path / "img_align_celeba" / "000001.jpg").touch()
    assert foreign_entries(tmp_path) == ["img_align_celeba"]
