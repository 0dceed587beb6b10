"""The plugins of examples/, spoken to in bytes made by hand: what they refuse.

Nothing here imports the project: the bytes are the specification's, not the codec's.
"""

import sys
from pathlib import Path

import pytest

from tests.integration.conversation import assert_refused
from tests.integration.peers import Start, peer, plugin, reach, start
from tests.integration.violations import (
    ASKING_USER,
    AUTHENTICATING,
    ENDED,
    IDLE,
    START,
    violations,
)
from tests.integration.wire import (
    ACCEPT,
    FAILURE,
    PASSWORD,
    SUCCESS,
    for_user,
    frame,
    init,
    init_response,
    protocol,
    request,
    responses,
    uint32,
)

__all__ = ["peer", "plugin", "start"]  # The fixtures.


@pytest.mark.parametrize(
    ("state", "wrong"),
    [pytest.param(state, wrong, id=f"{state}-{name}") for state, name, wrong in violations()],
)
def test_violation(start: Start, state: str, wrong: bytes) -> None:
    conversation = reach(start, state)
    conversation.send(wrong)
    # The input stays open: the plugin must not wait for more.
    assert_refused(conversation.ended())


# What a plugin keeps from one message must not pass for a part of the next.


@pytest.mark.parametrize("response", [b"a" * 29 + b"\xc3", b"a" * 30 + b"\xc3"])
def test_a_text_is_not_completed_by_the_frame_before(start: Start, response: bytes) -> None:
    conversation = reach(start, AUTHENTICATING)
    asked = request(("\u00e9".encode() * 50, 0))
    # A plugin with one fixed area for input finds the second half of a letter behind one of these.
    conversation.exchange(asked, for_user(asked))
    conversation.send(for_user(responses(response)))
    assert_refused(conversation.ended())


def test_an_empty_frame_does_not_repeat_the_frame_before(start: Start) -> None:
    conversation = reach(start, AUTHENTICATING)
    conversation.exchange(request(), responses())
    conversation.send(uint32(0))
    assert_refused(conversation.ended())


@pytest.mark.parametrize("count", [0, 1])
def test_the_user_answers_once(start: Start, count: int) -> None:
    conversation = reach(start, AUTHENTICATING)
    asked, answered = request(*[PASSWORD] * count), responses(*[b"r"] * count)
    if count:
        conversation.exchange(asked, for_user(asked))
        conversation.exchange(for_user(answered), answered)
    else:
        conversation.exchange(asked, answered)
    conversation.send(for_user(answered))
    assert_refused(conversation.ended())


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (START, init(host=b"", user=b"")),
        (IDLE, protocol()),
        (AUTHENTICATING, request((b"P", 0))),
        (AUTHENTICATING, SUCCESS),
        (AUTHENTICATING, FAILURE),
        (ASKING_USER, for_user(responses(b"r"))),
        (ENDED, protocol(b"")),
    ],
    ids=["init", "protocol", "request", "success", "failure", "user-response", "after-the-end"],
)
def test_end_of_file_inside_a_frame(start: Start, state: str, message: bytes) -> None:
    conversations = []
    for cut in range(1, len(message)):
        conversation = reach(start, state)
        conversation.send(message[:cut])
        conversation.close_input()
        conversations.append(conversation)
    for conversation in conversations:
        assert_refused(conversation.ended())


def test_end_of_file_inside_the_second_frame_of_a_read(start: Start) -> None:
    conversation = reach(start, AUTHENTICATING)
    conversation.send(SUCCESS + protocol()[:-1])
    conversation.close_input()
    assert_refused(conversation.ended())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process's memory")
@pytest.mark.parametrize("claim", [2**32 - 1, 2**31, 2**30], ids=["4-gib", "2-gib", "1-gib"])
@pytest.mark.parametrize("where", ["frame", "string", "prompts", "responses"])
def test_a_claimed_length_allocates_nothing(
    peer: str, start: Start, where: str, claim: int
) -> None:
    """With little memory left to take, a plugin that allocates by a claim cannot go on."""
    if peer == "c-sanitised":
        pytest.skip("the address sanitiser takes memory of its own")
    import resource

    conversation = reach(start, ASKING_USER if where == "responses" else AUTHENTICATING)
    status = Path(f"/proc/{conversation.process.pid}/status").read_text()
    data = 1024 * int(status.partition("VmData:")[2].split()[0])
    little = data + 2**28
    resource.prlimit(conversation.process.pid, resource.RLIMIT_DATA, (little, little))
    sent, reason = {
        "frame": (uint32(claim), b"longer than 262144"),
        "string": (frame(20, uint32(claim), b"name"), b"longer than what is left"),
        "prompts": (frame(20, bytes(12), uint32(claim), bytes(5)), b"a count is larger"),
        "responses": (frame(23, uint32(claim), bytes(4)), b"a count is larger"),
    }[where]
    conversation.send(sent)
    end = conversation.ended()
    assert_refused(end)
    assert reason in end.error


def test_no_secret_in_an_error(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "log"
    conversation = reach(start, ASKING_USER, "--answer", "Never asked=s3cret", "--log", str(log))
    conversation.send(for_user(responses(b"s3cret", b"s3cret")))
    end = conversation.ended()
    assert_refused(end)
    assert b"s3cret" not in end.error
    assert not log.exists()


@pytest.mark.parametrize("asking", [(), ("--ask",)], ids=["silent", "asking"])
def test_an_answer_that_fits_no_frame_is_not_sent(start: Start, asking: tuple[str, ...]) -> None:
    conversation = start("--answer", "=" + "s3cret" * 1000, *asking)
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(), ACCEPT)
    conversation.send(request(*[(b"", 0)] * 44))
    end = conversation.ended()
    assert_refused(end)
    assert b"s3cret" not in end.error


def test_a_log_that_cannot_be_written(start: Start, tmp_path: Path) -> None:
    conversation = start("--log", str(tmp_path))
    conversation.exchange(init(), init_response())
    conversation.exchange(protocol(), ACCEPT)
    conversation.send(SUCCESS)
    assert_refused(conversation.ended())
