"""The columns of images, labels and people are found by their types and names."""

from pathlib import Path

import pyarrow as pa
import pytest

from portraits.labelling.labels import ATTRIBUTES
from tests.vaelib.celeba.hugging_face import IMAGE
from vaelib.celeba.columns import find_layout

PATH = Path("train.parquet")
FLAT = [pa.field(name, pa.bool_()) for name in ATTRIBUTES]


def layout(*fields: pa.Field):
    return find_layout(PATH, pa.schema(fields))


def test_40_columns_are_put_in_celebas_order():
    found = layout(*FLAT[::-1], pa.field("celeb_id", pa.int64()), pa.field("image", IMAGE))
    assert (found.image, found.path, found.people) == ("image.bytes", "image.path", "celeb_id")
    assert found.labels == ATTRIBUTES


def test_names_may_be_written_otherwise():
    fields = [pa.field(name.replace("_", " ").lower(), pa.bool_()) for name in ATTRIBUTES]
    found = layout(pa.field("image", IMAGE), *fields)
    assert found.labels == tuple(field.name for field in fields)
    assert found.people == ""


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.int64()), pa.large_list(pa.bool_()), pa.list_(pa.int8(), 40)],
)
def test_a_list_called_attributes_is_taken_before_other_lists(kind):
    fields = [pa.field("bbox", pa.list_(pa.int64())), pa.field("attributes", kind)]
    found = layout(pa.field("image", IMAGE), *fields, pa.field("identity", pa.int64()))
    assert found.labels == ("attributes",)
    assert found.people == "identity"


def test_a_structure_of_40_is_taken():
    found = layout(pa.field("image", IMAGE), pa.field("attributes", pa.struct(FLAT)))
    assert found.labels == tuple(f"attributes.{name}" for name in ATTRIBUTES)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_images_may_be_bytes_alone(kind):
    assert layout(pa.field("photo", kind), *FLAT).image == "photo"
    inside = pa.struct([("bytes", kind)])
    assert (layout(pa.field("photo", inside), *FLAT).image) == "photo.bytes"
    assert layout(pa.field("photo", inside), *FLAT).path == ""


def test_of_several_columns_of_images_one_is_called_image(one_sentence):
    assert layout(pa.field("mask", IMAGE), pa.field("image", IMAGE), *FLAT).image == "image.bytes"
    with pytest.raises(ValueError) as error:
        layout(pa.field("mask", IMAGE), pa.field("photo", IMAGE), *FLAT)
    one_sentence(error.value, PATH, "several", "mask, photo")


@pytest.mark.parametrize(
    "fields, part",
    [
        ([pa.field("image", pa.string()), *FLAT], "no column of images"),
        ([pa.field("image", pa.list_(pa.uint8())), *FLAT], "no column of images"),
        ([], "its columns are none"),
        ([pa.field("image", IMAGE)], "has no labels"),
        ([pa.field("image", IMAGE), pa.field("label", pa.int64())], "has no labels"),
        ([pa.field("image", IMAGE), *FLAT[:31], *FLAT[32:]], "lacks the column Smiling"),
        (
            [pa.field("image", IMAGE), *(pa.field(n, pa.list_(pa.int8())) for n in "ab")],
            "has no labels",
        ),
    ],
)
def test_another_schema_is_one_sentence(one_sentence, fields, part):
    with pytest.raises(ValueError) as error:
        layout(*fields)
    one_sentence(error.value, PATH, part, "flwrlabs/celeba")
