"""Prompts that come later than they are wanted."""

from collections.abc import Callable

import pytest

from authplugin.userauth import (
    Prompts,
    Round,
    SSHUserAuthRequest,
    UserAuthInfoRequest,
    UserAuthMessage,
    UserAuthSuccess,
)

from .clients import CODE, INTERACTIVE, PASSWORD, REFUSED, Client, Handler, accepting, answer

ALL_GOOD = accepting("keyboard-interactive-1", "keyboard-interactive")
QUESTION = UserAuthInfoRequest("", "", "", [("Code: ", True)])


class Later(Handler):
    """Has every round wait, unless it does something else in the call."""

    def __init__(
        self,
        meanwhile: Callable[[Round], object] = lambda wanted: None,
        decide: Callable[[SSHUserAuthRequest], None] = ALL_GOOD,
    ) -> None:
        super().__init__(decide)
        self.meanwhile = meanwhile

    def prompts(self, wanted: Round) -> Prompts | None:
        self.asked.append(wanted)
        wanted.defer()
        self.meanwhile(wanted)
        return None


def test_a_login_with_prompts_that_come_later() -> None:
    handler = Later()
    told: list[str] = []
    client = Client(handler, on_output=lambda: told.append("output"))
    assert client.say(INTERACTIVE) == []
    assert handler.asked[0].ask(CODE)
    assert told == ["output"]
    assert client.replies() == [QUESTION]
    assert client.say(answer("1")) == []
    assert handler.asked[1].ask(None)
    assert client.replies() == [UserAuthSuccess()]


def test_requests_wait_for_prompts() -> None:
    handler = Later()
    client = Client(handler)
    assert client.say(INTERACTIVE, PASSWORD) == []
    assert client.server.held > 0
    handler.asked[0].ask(CODE)
    # The request that has waited abandons the exchange.
    assert len(client.server.data_to_send()) == 2
    assert client.server.held == 0
    assert handler.methods == ["password"]


def test_prompts_are_asked_once() -> None:
    handler = Later()
    client = Client(handler)
    client.say(INTERACTIVE)
    assert handler.asked[0].ask(CODE)
    assert not handler.asked[0].ask(CODE)
    assert client.replies() == [QUESTION]


@pytest.mark.parametrize("first", [PASSWORD, INTERACTIVE], ids=["a decision", "prompts"])
@pytest.mark.parametrize("second", [PASSWORD, INTERACTIVE], ids=["a decision", "prompts"])
def test_an_answer_is_to_its_own_question_alone(
    first: UserAuthMessage, second: UserAuthMessage
) -> None:
    def say(request: UserAuthMessage) -> SSHUserAuthRequest | Round:
        assert client.say(request) == []
        return handler.events[-1] if request is PASSWORD else handler.asked[-1]

    def settle(question: SSHUserAuthRequest | Round, *, grant: bool) -> bool:
        if isinstance(question, Round):
            return question.ask(CODE if grant else Prompts([("", True)]))  # which refuses
        question.accept = grant
        return question.decide()

    handler = Later(decide=lambda event: event.defer())
    client = Client(handler)
    old = say(first)
    assert settle(old, grant=False)
    assert client.replies() == [REFUSED]
    new = say(second)
    assert not settle(old, grant=True)
    assert client.replies() == []
    assert client.server.authenticated is None
    assert settle(new, grant=True)
    assert client.replies() == [UserAuthSuccess() if second is PASSWORD else QUESTION]


def test_prompts_that_come_too_late_are_discarded(caplog: pytest.LogCaptureFixture) -> None:
    handler = Later()
    client = Client(handler)
    client.say(INTERACTIVE)
    client.server.connection_lost()
    assert not handler.asked[0].ask(CODE)
    assert client.replies() == []
    assert "a decision on prompts came too late" in caplog.text


def test_nobody_has_asked_for_a_round_of_ones_own() -> None:
    assert not Round(0, "alice", "ssh-connection", 1, "", True).ask(CODE)


@pytest.mark.parametrize(
    ("prompts", "reply"), [(CODE, QUESTION), (None, UserAuthSuccess())], ids=["some", "no more"]
)
def test_prompts_may_be_given_within_the_call(
    prompts: Prompts | None, reply: UserAuthMessage
) -> None:
    assert Client(Later(lambda wanted: wanted.ask(prompts))).say(INTERACTIVE) == [reply]


@pytest.mark.parametrize("prompts", [Prompts([("", False)]), Prompts(5), "nonsense"])  # type: ignore[arg-type]
def test_deferred_prompts_that_make_no_sense_refuse(
    prompts: Prompts, caplog: pytest.LogCaptureFixture
) -> None:
    handler = Later()
    client = Client(handler)
    client.say(INTERACTIVE)
    assert handler.asked[0].ask(prompts)
    assert client.replies() == [REFUSED]
    assert "which refuses" in caplog.text


def test_a_handler_that_defers_and_then_raises_refuses() -> None:
    def fail(wanted: Round) -> None:
        raise RuntimeError

    handler = Later(fail)
    client = Client(handler)
    assert client.say(INTERACTIVE) == [REFUSED]
    assert not handler.asked[0].ask(CODE)
