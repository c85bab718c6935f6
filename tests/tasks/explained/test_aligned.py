"""Which word of a SCAN command each action comes from."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from heedful.tasks.explained.aligned import aligned

CASES = {
    "walk": "I_WALK@0",
    "turn left": "I_TURN_LEFT@1",
    "run right": "I_TURN_RIGHT@1 I_RUN@0",
    "look opposite left": "I_TURN_LEFT@2 I_TURN_LEFT@2 I_LOOK@0",
    "turn around right": "I_TURN_RIGHT@2 I_TURN_RIGHT@2 I_TURN_RIGHT@2 I_TURN_RIGHT@2",
    "jump after walk twice": "I_WALK@2 I_WALK@2 I_JUMP@0",
    "jump thrice and run": "I_JUMP@0 I_JUMP@0 I_JUMP@0 I_RUN@3",
}


@pytest.mark.parametrize(("command", "wanted"), CASES.items())
def test_each_action_has_the_word_that_names_it(command: str, wanted: str) -> None:
    actions = [each.partition("@") for each in wanted.split()]
    found = aligned(command.split(), [name for name, _, _ in actions])
    assert found is not None
    assert [f"{each.name}@{each.sure}" for each in found] == wanted.split()


def test_what_repeats_or_turns_is_possible_and_no_more() -> None:
    found = aligned(["turn", "opposite", "left", "twice", "and", "run"], ["I_TURN_LEFT"] * 4 + ["I_RUN"])
    assert found is not None
    assert set(found[0].possible) == {0, 1, 3}
    assert found[4].possible == ()


def test_other_actions_than_the_commands_are_not_aligned() -> None:
    assert aligned(["walk", "twice"], ["I_WALK"]) is None
    assert aligned(["walk", "sideways"], ["I_WALK"]) is None
    assert aligned(["and", "walk"], ["I_WALK"]) is None


@pytest.mark.data
def test_every_command_of_the_set_is_understood() -> None:
    home = Path(os.environ.get("HEEDFUL_DATA", "")) / "scan"
    if not home.is_dir():
        pytest.skip("SCAN is not under $HEEDFUL_DATA")
    for part in ("train", "test"):
        with gzip.open(home / f"tasks_{part}_simple.txt.gz", "rt") as file:
            for line in file:
                command, _, actions = line.strip().removeprefix("IN: ").partition(" OUT: ")
                assert aligned(command.split(), actions.split()) is not None, command
