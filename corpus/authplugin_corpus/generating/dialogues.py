"""Dialogues for every (state, event) of a role, and every (message, part, fault) it can hear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from authplugin import (
    MESSAGES,
    Limits,
    Message,
    PluginKIServerRequest,
    PluginProtocolReject,
    Side,
    State,
    decode,
    encode,
)
from authplugin.messages import SPEAKER

from ..faults import FAULTS, Fault, Faulty
from ..frames import split_frames
from . import house
from .building import (
    Hearing,
    after_fault,
    allowed,
    as_if_right,
    beside,
    expected,
    hear,
    right_turns,
    send,
)
from .words import WORDINGS, ambiguity, part_phrase, part_words, short

_TYPES: Final = {each.spec.name: each for each in MESSAGES}


@dataclass(slots=True)
class Draft:
    """A dialogue to be.

    Attributes:
        program: the side under test.
        id: its id.
        sentence: what is tested, for people.
        clause: the section of the published text.
        flag: what it is there for.
        phrase: what is wrong, as it would follow "accepts"; None where nothing can be.
        lead: the right conversation before the last words of the peer.
        data: those last words.
        struck: the message and the part that are at fault, for what the text leaves open.
        strikes: the rows of the table of faults.
    """

    program: Side
    id: str
    sentence: str
    clause: str
    flag: str
    phrase: str
    lead: house.Messages
    data: bytes
    struck: tuple[type[Message], str] | None = None
    strikes: list[dict[str, str]] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, bytes]:
        """What tells two dialogues apart."""
        return repr(self.lead), self.data


def dialogues(program: Side) -> list[dict[str, Any]]:
    """Return all generated dialogues with a program, in their JSON form."""
    drafts: dict[tuple[str, bytes], Draft] = {}
    two = _of_two_questions() if program is Side.PLUGIN else ()
    for draft in (*_events(program), *_struck(program), *two):
        known = drafts.setdefault(draft.key, draft)
        known.strikes += [each for each in draft.strikes if each not in known.strikes]
    return [_vector(draft) for draft in drafts.values()]


# Every state and event.


def _events(program: Side) -> Iterator[Draft]:
    for state, lead in house.LEADS.items():
        where = f"{program}-{state.lower().replace('_', '-')}"
        if SPEAKER.get(state) is program.other:
            for message in house.ONE_OF_EACH:
                yield _hears(program, state, lead, message, where)
        # A plugin that has declined has ended; a client goes on without it.
        if state is not State.ENDED or program is Side.CLIENT:
            yield from _ends(program, state, lead, where)


def _hears(
    program: Side, state: State, lead: house.Messages, message: Message, where: str
) -> Draft:
    spec = message.spec
    right = spec.leaves is state
    fault = "wrong-state" if spec.sender is program.other else "wrong-side"
    strikes = [
        {"message": each.spec.name, "part": "frame", "fault": fault}
        for each in MESSAGES
        if each.spec.leaves is state and not right
    ]
    does = "has its place" if right else "has no place"
    return Draft(
        program=program,
        id=f"{where}-hears-{short(spec.name)}",
        sentence=f"{spec.name} comes in the state {state}, where it {does}.",
        clause=spec.clause if right else "H.5",
        flag="clean" if right else fault,
        phrase=f"{spec.name} in the state {state}",
        lead=lead,
        data=encode(message),
        strikes=strikes,
    )


_BEGUN: Final[dict[State, dict[Side, Message]]] = {
    State.START: {Side.PLUGIN: house.INIT, Side.CLIENT: house.READY},
    State.INITIALISING: {Side.PLUGIN: house.OFFER, Side.CLIENT: house.READY},
    State.IDLE: {Side.PLUGIN: house.OFFER, Side.CLIENT: house.ACCEPT},
    State.OFFERED: {Side.PLUGIN: house.ASK, Side.CLIENT: house.ACCEPT},
    State.AUTHENTICATING: {Side.PLUGIN: house.ASK, Side.CLIENT: house.ANSWER},
    State.CHALLENGED: {Side.PLUGIN: house.SUCCESS, Side.CLIENT: house.ANSWER},
    State.ASKING_USER: {Side.PLUGIN: house.USER_ANSWER, Side.CLIENT: house.ANSWER},
    State.ENDED: {Side.CLIENT: house.READY},
}
"""What a program's peer would say next, or has begun to say too early."""


def _ends(program: Side, state: State, lead: house.Messages, where: str) -> Iterator[Draft]:
    half = encode(_BEGUN[state][program])[:-1]
    early = SPEAKER.get(state) is program
    for suffix, how, flag, data in (
        ("end", "between two frames", "end-of-input", b""),
        ("end-inside-frame", "inside a frame", "early-speech" if early else "truncated", half),
    ):
        yield Draft(
            program=program,
            id=f"{where}-{suffix}",
            sentence=f"The input ends {how}, in the state {state}.",
            clause="H.5" if not data else "H.3",
            flag="wrong-state" if data and state is State.ENDED else flag,
            phrase=f"the end of the input {how}, in the state {state}",
            lead=lead,
            data=data,
        )


# Every message, part and fault.

_Choice = Callable[[Sequence[Faulty]], Sequence[Faulty]]


def _first(found: Sequence[Faulty]) -> Sequence[Faulty]:
    return found[:1]


def _last(found: Sequence[Faulty]) -> Sequence[Faulty]:
    return found[-1:]


def _at(word: str) -> _Choice:
    return lambda found: [each for each in found if each.place.startswith(word)][:1]


_CHOICES: Final[dict[str, _Choice]] = {
    # One byte is missing of the part, or all of it.
    "truncate": _last,
    "truncated-body": _first,
    "oversized-claim": _last,
    "oversized-count": _last,
    "begun-early": _last,
    "unknown-type": _at("type 9"),
    "bit-flip": _at("bit 7"),
}
"""Which of the places that a fault finds in a part is tried."""

_BY_EVENTS: Final = frozenset({"wrong-side", "wrong-state"})


def _struck(program: Side) -> Iterator[Draft]:
    yield from _struck_in(program, list(house.conversations(program)))


def _of_two_questions() -> Iterator[Draft]:
    """Yield drafts for a plugin that asks two questions, where it matters how many it asks."""
    for draft in _struck_in(Side.PLUGIN, [house.TWO_QUESTIONS]):
        heard = hear(draft.program, draft.lead, draft.data, ends=True)
        if house.ASK_TWICE in draft.lead and _counts_questions(heard):
            draft.id += "-to-two-questions"
            draft.sentence = f"The plugin has asked two questions, and is sent {draft.phrase}."
            yield draft


def _struck_in(program: Side, leads: Sequence[house.Messages]) -> Iterator[Draft]:
    for fault in FAULTS:
        if fault.name in _BY_EVENTS:
            continue
        found: dict[tuple[str, str], list[Draft]] = {}
        for lead in leads:
            here: dict[tuple[str, str], list[Faulty]] = {}
            frames = [encode(message) for message in lead]
            for faulty in fault.strike(frames, Limits()):
                here.setdefault((faulty.message, faulty.part), []).append(faulty)
            for key, several in here.items():
                if key not in found:
                    chosen = _CHOICES.get(fault.name, _first)(several)
                    found[key] = [_draft(program, fault, lead, faulty) for faulty in chosen]
        for drafts in found.values():
            yield from drafts


def _draft(program: Side, fault: Fault, lead: house.Messages, faulty: Faulty) -> Draft:
    wording = WORDINGS[fault.name]
    part = "" if faulty.part == "frame" else f"-{part_words(faulty.part)}"
    phrase = wording.phrase.format(message=faulty.message, part=part_phrase(faulty.part))
    return Draft(
        program=program,
        id=f"{program}-{short(faulty.message)}{part}-{fault.name}",
        sentence=f"The {program} is sent {phrase}.",
        clause=fault.clause,
        flag=wording.flag,
        phrase=phrase,
        lead=lead[: faulty.kept],
        data=faulty.data,
        struck=(_TYPES[faulty.message], faulty.part),
        strikes=[{"message": faulty.message, "part": faulty.part, "fault": fault.name}],
    )


# A draft as a vector.


def _vector(draft: Draft) -> dict[str, Any]:
    heard = hear(draft.program, draft.lead, draft.data, ends=True)
    flags = [draft.flag]
    if heard.code is None:
        result, turns = "valid", _taken(draft, heard)
        flags = ["clean" if draft.flag in ("early-speech", "lost-message") else draft.flag]
    else:
        open_question = _left_open(draft, heard)
        result = "invalid" if open_question is None else "acceptable"
        if open_question is not None and open_question not in flags:
            flags = [open_question] if draft.flag == "bad-text" else [*flags, open_question]
        elif open_question is None and "early-speech" in flags:
            flags = ["wrong-state"]
        turns = _refused(draft, heard, open_question)
    vector: dict[str, Any] = {
        "id": draft.id,
        "sentence": draft.sentence,
        "clause": draft.clause,
        "result": result,
        "flags": flags,
        "deliveries": ["whole"],
    }
    if draft.strikes:
        vector["strikes"] = draft.strikes
    return vector | {"turns": turns}


def _left_open(draft: Draft, heard: Hearing) -> str | None:
    if heard.turn and heard.rest:
        return "early-speech"
    return ambiguity(*draft.struck, heard.code) if draft.struck is not None else None


def _led(draft: Draft, heard: Hearing) -> list[Any]:
    """Return the turns that lead to the last words.

    How many responses a plugin wants of the user matters only where it gets some.
    """
    turns = right_turns(draft.program, draft.lead)
    if not _counts_questions(heard):
        for turn in turns:
            if turn.get("expect", {}).get("type") == house.ASK_USER.spec.name:
                del turn["expect"]["prompts"]
    return turns


def _counts_questions(heard: Hearing) -> bool:
    """Say whether a plugin gets responses, so that it matters how many it wants."""
    return bool(heard.good) or _is_user_response(heard.rest)


def _is_user_response(data: bytes) -> bool:
    try:
        return isinstance(decode(next(iter(split_frames(data)), b"")), type(house.USER_ANSWER))
    except ValueError:
        return False


def _refused(draft: Draft, heard: Hearing, open_question: str | None) -> list[Any]:
    program = draft.program
    turns = _led(draft, heard)
    fault = {"code": str(heard.code), "sentence": draft.phrase}
    if heard.good or heard.rest:
        turns.append(send(heard.good, heard.rest, fault))
        turns.append({"end_of_input": True})
    else:
        turns.append({"end_of_input": True, "fault": fault})
    if open_question is None or open_question == "early-speech":
        turns += after_fault(program, draft.lead, heard)
    elif open_question == "bad-method-name":
        turns.append({"allow": [{"type": PluginProtocolReject.spec.name}], "lenient": True})
    elif draft.struck is not None:
        turns += as_if_right(program, draft.struck[0].spec.enters)
    return [*turns, {"expect_end": True}]


def _taken(draft: Draft, heard: Hearing) -> list[Any]:
    """Return the turns of a dialogue in which nothing is wrong, and the reply to its last words."""
    program = draft.program
    said = (*draft.lead, *heard.good)
    turns = _led(draft, heard)
    turns += [send((message,)) for message in heard.good]
    end: list[Any] = [{"end_of_input": True}]
    if heard.turn:
        reply = _reply(program, said) if heard.good else None
        if reply is None:
            # The program cannot know yet that the input has ended, and owes a message, or may
            # say one.
            end.append({"allow": allowed(heard.state, program)})
        else:
            turns += _expecting(program, reply, said)
            # A plugin that ended while it owes a message would have failed.
            for message in _REST.get(type(reply), ()) if program is Side.CLIENT else ():
                turns += (
                    [send((message,))]
                    if message.spec.sender is program.other
                    else _expecting(program, message, said)
                )
    return [*turns, *end, {"expect_end": True}]


_REST: Final[dict[type[Message], house.Messages]] = {
    type(house.OFFER): (house.ACCEPT, house.FAILURE),
    type(house.USER_ANSWER): (house.ANSWER, house.SUCCESS),
}
"""What follows what a client says, until the plugin owes nothing."""


def _expecting(program: Side, message: Message, said: house.Messages) -> list[Any]:
    turns = list(beside(message)) if program is Side.CLIENT else []
    return [*turns, {"expect": expected(message, said)}]


def _reply(program: Side, said: house.Messages) -> Message | None:
    """Return what a program says next; None where it may say nothing."""
    state = said[-1].spec.enters
    asked = [each for each in said if isinstance(each, PluginKIServerRequest)]
    if program is Side.PLUGIN:
        answers = house.ANSWER if not asked or len(asked[-1].prompts) > 1 else house.ANSWER_AGAIN
        return {
            State.INITIALISING: house.READY,
            State.OFFERED: house.ACCEPT if said[-1] == house.OFFER else house.REJECT,
            State.CHALLENGED: answers,
        }.get(state)
    if said[-1].spec.name == PluginProtocolReject.spec.name:
        return None
    return {
        State.IDLE: house.OFFER,
        State.AUTHENTICATING: house.SUCCESS,
        State.ASKING_USER: house.USER_ANSWER,
    }.get(state)


def keys_of(vectors: Sequence[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Return the rows of the table of faults that vectors stand for."""
    return {
        (each["message"], each["part"], each["fault"])
        for vector in vectors
        for each in vector.get("strikes", ())
    }
