"""What can be tried of a server one by one: every sequence of steps, every signature and fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from authplugin import Limits
from authplugin.userauth import (
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthServer,
    UserAuthSuccess,
    encode_payload,
)
from authplugin_corpus.faults import USER_AUTH_FAULTS, stock_user_auth

from .breaking import LawBroken
from .laws.frames import agrees_with_cursor
from .oracles.cursor import Refused
from .oracles.server_steps import (
    RAISED,
    Answer,
    Asked,
    Decide,
    Lost,
    Receive,
    Say,
    SendBanner,
    Setup,
    Step,
    Wait,
)
from .references import reference_of
from .server_conversations import WAYS
from .server_trial import SECRET, MakeServer, ServerTrial
from .signing import KEYS, wrongly_signed
from .tally import CURRENT

SETUP: Final = Setup(
    attempts=3, rounds=2, prompts=2, waiting=2, limits=Limits(frame=2048, text=512, count=8)
)
"""How the servers are set up: so that every limit is reached within a few steps."""

WALKED: Final = 1
"""How many steps the longest sequences have that are walked through from everywhere."""

LENGTH: Final = 2
"""How many steps the longest sequences have that `every_server_sequence` settles."""

_SERVICE: Final = "ssh-connection"
_YES: Final = Answer(accept=True, home_dir="/home")
_NO: Final = Answer()
_PARTLY: Final = Answer(partial_success=True)
_BOTH: Final = Answer(accept=True, partial_success=True)
_ALMOST: Final = Answer(accept=1)
_ELSEWHERE: Final = Answer(partial_success=True, available_methods="custom,publickey")
_LATER: Final = Answer(defers=1)
_KEY: Final = KEYS["ssh-ed25519"]


def _sent(message: UserAuthMessage, *answers: Answer, ask: Sequence[Asked] = ()) -> Receive:
    return Receive(encode_payload(message), answers, tuple(ask))


def _asked(count: int) -> Asked:
    return Asked((("p", False),) * count)


def _steps() -> Iterator[Step]:
    for answer in (_YES, _NO, _PARTLY, _LATER, _BOTH, _ALMOST):
        yield _sent(UserAuthPassword("alice", _SERVICE, SECRET), answer)
        yield Decide(0, answer)
    for last in (_YES, _PARTLY, _LATER):
        yield _sent(UserAuthInfoResponse([SECRET]), _YES, last)
    yield _sent(UserAuthNone("alice", _SERVICE), _NO)
    yield _sent(UserAuthNone("bob", _SERVICE), Answer(available_methods="password,custom"))
    yield _sent(UserAuthNone("alice", "another"), _YES)
    yield _sent(UserAuthNone("alice", _SERVICE), Answer(available_methods="publickey"))
    yield _sent(UserAuthNone("alice", _SERVICE), Answer(available_methods="a b"))
    yield _sent(UserAuthPasswordChange("alice", _SERVICE, SECRET, f"{SECRET}2"), _YES)
    yield _sent(UserAuthPassword("alice", _SERVICE, SECRET), Answer(change_password="new one"))  # noqa: S106 - a text for the user
    for each in RAISED:
        yield _sent(UserAuthPassword("alice", _SERVICE, SECRET), Answer(accept=True, raises=each))
    yield Decide(0, Answer(partial_success=True, available_methods="publickey,password"))
    yield _sent(UserAuthOther("bob", _SERVICE, "custom", SECRET.encode()), _YES)
    strange = (Asked(raises=True), Asked(raises="interrupt"), Asked(defers=True))
    for rounds in ((), *((_asked(count),) for count in range(4)), *((each,) for each in strange)):
        yield _sent(UserAuthKeyboardInteractive("alice", _SERVICE, "", ""), _YES, ask=rounds)
    yield _sent(UserAuthInfoResponse([]), _YES)
    yield _sent(UserAuthInfoResponse([SECRET]), _NO, _YES)
    yield _sent(UserAuthInfoResponse([SECRET]), _YES, ask=(_asked(1),))
    yield _sent(UserAuthInfoResponse([SECRET, SECRET]), _YES, _NO, _YES)
    yield _sent(UserAuthInfoResponse([SECRET]), _NO, _ELSEWHERE)
    yield _sent(UserAuthInfoResponse([SECRET]), _YES, Answer(accept=True))
    yield _sent(UserAuthInfoResponse([SECRET]), Answer(home_dir="/elsewhere"))
    for question, to_ask in ((0, None), (0, _asked(1)), (1, _asked(3))):
        yield Say(question, to_ask, (_YES,))
    yield Receive(_KEY.query("alice", _SERVICE), (_YES,))
    yield Receive(_KEY.query("alice", _SERVICE), (_ELSEWHERE,))
    yield Receive(_KEY.request("alice", _SERVICE, SETUP.session_id), (_YES,))
    yield Receive(_KEY.request("alice", _SERVICE, SETUP.session_id), (_PARTLY,))
    yield Receive(KEYS["ssh-rsa"].request("alice", _SERVICE, SETUP.session_id), (_YES,))
    wrong = wrongly_signed(_KEY.algorithm, "alice", _SERVICE, SETUP.session_id)
    yield Receive(wrong["over another session"], (_YES,))
    yield Receive(wrong["over another session"], (_ELSEWHERE,))
    yield _sent(UserAuthSuccess())
    yield Receive(b"\x32\0\0")
    yield Decide(1, _YES)
    yield Wait(SETUP.seconds)
    yield Wait(SETUP.seconds, looks=False)
    yield SendBanner("Hello")
    yield Lost()


STEPS: Final = tuple(_steps())
"""What can happen to a server, in all ways in which it fits or does not fit what was before."""


def every_server_sequence(
    length: int = LENGTH, walked: int = WALKED, make: MakeServer = UserAuthServer
) -> int:
    """Try every sequence of `STEPS` up to a length, behind each way to where a server can stand.

    Up to the length `walked` that is every one. The longer ones are settled by their beginnings: a
    sequence goes on only where it leads its model to where no other one has. So what is tried is
    every step wherever a server can stand after so many steps, by the shortest way.

    Returns:
        how many were walked through.
    """
    run = CURRENT.run(f"every sequence of at most {length} steps, server")
    tried = 0
    seen = set()
    beginnings: list[tuple[Step, ...]] = list(WAYS.values())
    for size in range(1, length + 1):
        going_on = []
        for beginning in beginnings:
            for step in STEPS:
                trial = ServerTrial(SETUP, make=make)
                for earlier in beginning:
                    trial.take(earlier)
                trial.take(step)
                tried += 1
                run.steps += 1
                run.refused += trial.model.violation is not None
                where = trial.model.summary(), min(trial.model.events, 2)
                if size < walked or where not in seen:
                    going_on.append((*beginning, step))
                seen.add(where)
        beginnings = going_on
    return tried


def every_wrong_signature(make: MakeServer = UserAuthServer) -> int:
    """Try every signature that must not do, with every algorithm; return how many there were.

    The handler accepts the key each time.
    """
    tried = 0
    setup = Setup(algorithms=tuple(KEYS), attempts=10_000)
    for algorithm, key in KEYS.items():
        wrong = wrongly_signed(algorithm, "alice", _SERVICE, setup.session_id)
        for payload in wrong.values():
            trial = ServerTrial(setup, make=make)
            trial.take(Receive(payload, (_YES,)))
            if trial.model.authenticated is not None:
                raise LawBroken(f"the model takes a wrong signature of {algorithm}")
            tried += 1
        trial = ServerTrial(setup, make=make)
        trial.take(Receive(key.request("alice", _SERVICE, setup.session_id), (_YES,)))
        if trial.model.authenticated is None:
            raise LawBroken(f"the model takes no right signature of {algorithm}")
    return tried


def every_user_auth_fault(limits: Limits, make: MakeServer = UserAuthServer) -> int:
    """Strike every message of SSH's user authentication with every fault; return how many struck.

    The oracle and the codec refuse each with the code that the fault foretells, and a server that
    is sent it as a payload does what its model says.
    """
    run = CURRENT.run("every fault, userauth")
    tried = 0
    setup = Setup(limits=limits)
    asking = _sent(UserAuthKeyboardInteractive("alice", _SERVICE, "", ""), ask=(_asked(1),))
    for protocol, frame in stock_user_auth().values():
        for fault in USER_AUTH_FAULTS:
            for faulty in fault.strike([frame], limits, protocol):
                agrees_with_cursor(faulty.data, limits, protocol)
                try:
                    reference_of(protocol).read(faulty.data, limits)
                    code = None
                except Refused as refused:
                    code = refused.code
                if code != faulty.code:
                    raise LawBroken(f"{fault.name} at {faulty.place}: {code}, not {faulty.code}")
                for beginning in ((), (asking,)):
                    trial = ServerTrial(setup, make=make)
                    for step in beginning:
                        trial.take(step)
                    trial.take(Receive(faulty.data[4:]))
                CURRENT.faults[faulty.message, faulty.part, fault.name] += 1
                tried += 1
                run.steps += 1
                run.refused += code is not None
    return tried
