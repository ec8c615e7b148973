"""The transitions of a field."""

import pytest
from small import generate_from, own_versions

from soundstage.world.errors import IllegalTransition

MOVES = "{run.status: {begins: [new], moves: {new: [live], live: [over]}}}"


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (["live"], "run.status begins as 'live'; legal is: new"),
        (["over"], "run.status begins as 'over'; legal is: new"),
        ([5], "run.status begins as 5; legal is: new"),
        (["new", "over"], "run.status goes from 'new' to 'over'; legal is: live"),
        (["new", "live", "new"], "goes from 'live' to 'new'; legal is: over"),
        (
            ["new", "live", "over", "live"],
            "goes from 'over' to 'live'; legal is: nothing: that state is final",
        ),
        (["new", "lost"], "goes from 'new' to 'lost'; legal is: live"),
    ],
)
@pytest.mark.parametrize("after", ["0s", "1s"])
def test_a_transition_that_the_lifecycle_lacks_is_illegal(states, message, after):
    steps = ", ".join(f"{{after: {after}, run: {{status: {state}}}}}" for state in states)
    text = f"lifecycle: {MOVES}\nscenarios: {{story: {{steps: [{steps}]}}}}"
    with pytest.raises(IllegalTransition, match=message) as error:
        generate_from(text)
    wrong = len(states) - 1
    assert error.value.pointer == f"/scenarios/story/steps/{wrong}/run"


def test_a_state_may_be_repeated():
    steps = ", ".join(f"{{after: 1s, run: {{status: {s}}}}}" for s in ("new", "new", "live"))
    text = f"lifecycle: {MOVES}\nscenarios: {{story: {{steps: [{steps}]}}}}"
    assert len(own_versions(generate_from(text))) == 3


def test_two_fields_of_a_record_type_may_each_have_a_lifecycle():
    text = """
    lifecycle:
      run.phase: {begins: [a], moves: {a: [b]}}
      run.status: {begins: [new], moves: {new: [live]}}
    scenarios: {story: {steps: [{run: {phase: wrong, status: new}}]}}
    """
    with pytest.raises(IllegalTransition, match=r"run.phase begins as 'wrong'"):
        generate_from(text)


def test_other_record_types_may_have_a_lifecycle_too():
    text = """
    lifecycle: {event.state: {begins: [a], moves: {a: [b]}}}
    scenarios: {story: {steps: [{run: {}, event/e: {state: a}}, {event/e: {state: c}}]}}
    """
    with pytest.raises(IllegalTransition, match=r"event.state goes from 'a' to 'c'"):
        generate_from(text)
