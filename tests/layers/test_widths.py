import pytest

from heedful.errors import ShapeError
from heedful.layers.widths import Widths, dividing


def test_what_follows_is_filled_in() -> None:
    widths = Widths.of(48, 6, kv_heads=2, key_dim=20)
    assert (widths.head_dim, widths.query, widths.shared, widths.value_dim, widths.packed) == (8, 48, 16, 20, False)
    assert Widths.of(10, 4, head_dim=6).query == 24


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"dim": 30, "heads": 4}, "4 heads do not divide a width of 30: 3 heads"),
        ({"dim": 32, "heads": 8, "kv_heads": 3}, "3 key/value heads do not divide 8 heads: 2"),
        ({"dim": 0, "heads": 1}, "dim is a count of 1 or more: found 0"),
        ({"dim": 8, "heads": 0}, "heads is a count of 1 or more: found 0"),
        ({"dim": 8, "heads": 2, "head_dim": 0}, "head_dim is a count"),
        ({"dim": 8, "heads": 2, "kv_heads": 0}, "kv_heads is a count"),
    ],
)
def test_sizes_that_do_not_divide_are_refused(sizes: dict[str, int], said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        Widths.of(**sizes)


@pytest.mark.parametrize(("whole", "wanted", "found"), [(30, 4, 3), (8, 3, 2), (7, 5, 7), (12, 12, 12)])
def test_the_nearest_divisor(whole: int, wanted: int, found: int) -> None:
    assert dividing(whole, wanted) == found
