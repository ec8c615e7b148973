"""A dictionary that copies on write."""

from hypothesis import given
from hypothesis import strategies as st

from soundstage.world.copy_on_write import CopyOnWriteDict

keys = st.sampled_from("abcdef")


@given(st.dictionaries(keys, st.integers()), st.lists(st.tuples(keys, st.booleans())))
def test_it_is_a_dict_that_leaves_its_base_unchanged(below, changes):
    shared, plain = dict(below), dict(below)
    layered = CopyOnWriteDict(below)
    for number, (key, is_put) in enumerate(changes):
        if is_put:
            layered[key] = plain[key] = number
        elif key in plain:
            del layered[key], plain[key]
    assert list(layered.items()) == list(plain.items())
    assert list(reversed(layered)) == list(reversed(plain))
    assert (len(layered), below) == (len(plain), shared)
    for key in "abcdefg":
        assert (key in layered) == (key in plain)
        assert layered.get(key, "none") == plain.get(key, "none")
