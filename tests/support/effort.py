"""How thorough the tests are: `make test` generates fewer examples than `make test-all`.

pytest imports conftest.py, which sets ``THOROUGH``, before any test module.
"""

from hypothesis import settings

THOROUGH = True
"""Whether the slow tests are selected too."""


def examples(number, **options):
    """Hypothesis settings for this number of examples, a fifth of it in `make test`."""
    return settings(max_examples=scale(number), **options)


def scale(number):
    """The number, or a fifth of it in `make test`."""
    return number if THOROUGH else max(2, number // 5)
