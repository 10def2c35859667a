"""The table of features, against the head that they shape."""

from portraits.people.features import feature_spreads
from portraits.shape.head import load_head


def test_the_table_names_the_heads_features_in_their_order():
    """Another order gives every person another face."""
    others = ("M_", "W_", "X_")  # build, weight, expression
    of_head = [name for name in load_head().morph_names if not name.startswith(others)]
    names, spreads = feature_spreads()
    assert list(names) == of_head
    assert len(spreads) == len(names)
