"""Each target holds of what is right, and goes red for a break of what it is for."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from authplugin import Limits, PluginInit, Side, encode
from authplugin_fuzz.layers import Exchange, How, Layer, Move
from authplugin_fuzz.making import seeds
from authplugin_fuzz.targets import TARGETS
from authplugin_properties.laws import LawBroken
from authplugin_properties.trial import Trial, stand_in_the_same_place

from ..properties import mistakes
from . import served
from .inputs import made

TRIES = {
    Layer.BODY: 1500,
    Layer.PAYLOAD: 1500,
    Layer.STREAM: 500,
    Layer.CONVERSATION: 500,
    Layer.SERVER: 300,
    Layer.BRIDGE: 300,
    Layer.CHOICES: 3,
}
MORE = 4  # times as many tries, until a break has shown


def test_there_is_a_module_for_each_target_and_no_other() -> None:
    folder = Path(sys.modules["authplugin_fuzz.targets"].__file__ or "").parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    assert modules == set(TARGETS)
    assert {target.layer for target in TARGETS.values()} == set(Layer)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_of_what_is_right(name: str) -> None:
    target = TARGETS[name]
    target.run(b"")
    for raw in made(target.layer, TRIES[target.layer]):
        target.run(raw)


Mistake = Callable[[pytest.MonkeyPatch], None]

BREAKS: list[tuple[str, Mistake]] = [
    ("frames", mistakes.lose_a_byte_of_a_short_chunk),
    ("frames", mistakes.reuse_a_buffer),
    ("frames", mistakes.deliver_all_or_nothing),
    ("frames", mistakes.take_a_byte_more_than_the_limit),
    ("frames", mistakes.wait_for_more_than_the_limit),
    ("frames", mistakes.say_that_nothing_is_held),
    ("frames", mistakes.go_on_after_a_refusal),
    ("frames", mistakes.look_through_all_that_is_held_with_each_chunk),
    ("messages", mistakes.crash_in_explain),
    ("messages", mistakes.count_offsets_from_the_type_byte),
    ("messages", mistakes.take_any_bytes_for_utf8),
    ("messages", mistakes.forget_a_message),
    ("roundtrip", mistakes.encode_the_port_little_endian),
    ("roundtrip", mistakes.detach_without_empty_texts),
    ("roundtrip", mistakes.encode_no_empty_list),
    ("client", mistakes.let_a_plugin_end_any_time),
    ("client", mistakes.check_no_guards),
    ("client", mistakes.hear_on_after_the_end_of_file),
    ("client", mistakes.raise_a_violation_once),
    ("plugin", mistakes.check_no_place),
    ("plugin", mistakes.judge_the_turn_once_a_chunk),
    ("plugin", mistakes.drop_what_was_good_before_a_violation),
    ("plugin", mistakes.crash_on_a_method_that_is_not_known),
    ("dialogue", mistakes.check_no_guards),
    ("dialogue", mistakes.check_no_place),
    ("dialogue", mistakes.let_a_plugin_end_any_time),
    ("dialogue", mistakes.encode_the_port_little_endian),
    ("differential", mistakes.decode_the_port_as_16_bits),
    ("differential", mistakes.take_any_byte_for_a_boolean),
    ("differential", mistakes.forget_a_message),
    ("userauth", served.read_a_banner_as_a_failure),
    ("userauth", served.read_every_request_as_another),
    ("server", served.accept_whatever_is_said),
    ("server", served.list_what_is_done),
    ("server", served.take_any_signature),
    ("bridge", served.tell_of_a_failure),
    ("bridge", served.take_no_name_of_the_plugin),
    ("stateful", mistakes.let_a_plugin_end_any_time),
    ("stateful", mistakes.check_no_place),
]


@pytest.mark.parametrize(("name", "mistake"), BREAKS)
def test_a_target_goes_red(name: str, mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    target = TARGETS[name]
    inputs = list(made(target.layer, MORE * TRIES[target.layer]))
    mistake(monkeypatch)
    for raw in inputs:
        try:
            target.run(raw)
        except LawBroken:
            return
    pytest.fail(f"{name} holds although {mistake.__name__}")


# What is said, what comes, and what stands in the same place.


def moves(*given: Move) -> bytes:
    return Exchange(moves=list(given)).to_bytes()


def said_by(raw: bytes) -> list[Move]:
    return Exchange.from_bytes(raw).moves


def test_in_a_dialogue_what_one_role_says_comes_to_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[tuple[Side, bytes]] = []
    hear = Trial.hear

    def noting(self: Trial, chunks: object) -> None:
        pieces = list(chunks)  # type: ignore[call-overload]
        heard.extend((self.side, piece) for piece in pieces)
        hear(self, pieces)

    monkeypatch.setattr(Trial, "hear", noting)
    (first, second, *_) = said_by(max(seeds(Layer.CONVERSATION), key=len))
    nonsense = Move(Side.PLUGIN, How.PUT, b"\0\0\0\1\x63")
    TARGETS["dialogue"].run(moves(first, second, nonsense))
    assert heard == [
        (Side.PLUGIN, first.data),
        (Side.CLIENT, second.data),
        (Side.CLIENT, nonsense.data),
    ]

    heard.clear()
    first.how = How.LOST
    TARGETS["dialogue"].run(moves(first, second))
    # The plugin has heard nothing to answer, so its role refuses to.
    assert heard == []

    first.how = How.SAID
    TARGETS["plugin"].run(moves(first, second))
    assert heard == [(Side.PLUGIN, first.data)]


def test_roles_that_stand_in_different_places_are_seen() -> None:
    client, plugin = (Trial(side, Limits()) for side in Side)
    stand_in_the_same_place(client, plugin)
    client.say(PluginInit(2, "host", 22, "user"))
    with pytest.raises(LawBroken, match="the client's state is"):
        stand_in_the_same_place(client, plugin)


def test_a_frame_that_is_not_what_was_said_is_seen() -> None:
    client = Trial(Side.CLIENT, Limits())
    with pytest.raises(LawBroken, match="the frame that was sent"):
        client.say(PluginInit(2, "host", 22, "user"), encode(PluginInit(2, "host", 23, "user")))


# From the command line.


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "authplugin_fuzz.targets", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_target_runs_on_a_file(tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(seeds(Layer.BODY)[0])
    ended = run("messages", path)
    assert (ended.returncode, ended.stdout) == (0, f"{path}: every law holds\n")


@pytest.mark.parametrize("arguments", [[], ["messages"], ["nothing", "file"]])
def test_the_command_says_how_to_use_it(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "usage: " in ended.stderr
