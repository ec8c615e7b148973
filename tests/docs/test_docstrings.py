"""The examples in the docstrings of the package, run by doctest."""

import doctest
import importlib
import pkgutil

import pytest

import soundstage

SKIPPED = {
    "soundstage.cli.__main__",  # runs the command line when it is imported
    "soundstage.tools.schemathesis.hooks",  # loaded by schemathesis, in its process
    "soundstage.tools.verify.hooks",
}

MODULES = [
    module.name
    for module in pkgutil.walk_packages(soundstage.__path__, "soundstage.")
    if module.name not in SKIPPED
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0
