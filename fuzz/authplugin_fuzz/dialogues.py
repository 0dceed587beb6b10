"""Dialogues of what was found: the conversation with one role, and what a correct one does in it.

The model says what is heard, what is refused and with what; the corpus's own generator, how such a
conversation is told to whoever replays it. Nothing here asks the code on trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from authplugin import (
    KEYBOARD_INTERACTIVE,
    Limits,
    Message,
    PluginInitFailure,
    PluginKIUserRequest,
    PluginKIUserResponse,
    PluginProtocol,
    PluginProtocolAccept,
    PluginProtocolReject,
    Side,
    State,
)
from authplugin_corpus.delivery import edges
from authplugin_corpus.generating import house
from authplugin_corpus.generating.building import allowed, as_if_right, beside, expected
from authplugin_corpus.message_json import TYPES
from authplugin_corpus.model import Delivery, Kind
from authplugin_properties.model import Hear, Model, Say, split
from authplugin_properties.oracles import cursor, grammar
from authplugin_properties.oracles.turns import SPEAKERS, step
from authplugin_properties.subjects import neutral

from .steps import Step, settled
from .vectors import JSON, Judgement, Made, flag_of, found, judged, message_json, name_of

_KINDS: Final = {Side.PLUGIN: Kind.PLUGIN_DIALOGUES, Side.CLIENT: Kind.CLIENT_DIALOGUES}


def dialogue(
    program: Side, steps: Sequence[Step], deliveries: Sequence[Delivery] = (Delivery.WHOLE,)
) -> Made | None:
    """Return the vector of a conversation with a program, whose limits are the usual ones.

    Args:
        program: the side under test.
        steps: what it is to say and hears.
        deliveries: in which pieces it is to be tried.

    Returns:
        The vector; None where no program can be made to take that part: a plugin cannot be told to
        decline, nor either side what to offer or reject.
    """
    writer = _Writer(program)
    for each in settled(program, steps, Limits()):
        if isinstance(each, Hear):
            writer.hear(each.data)
        elif isinstance(each, Say) and not writer.say(each.frame):
            return None
    writer.end()
    if Delivery.FIELD_EDGES in deliveries:
        for turn in writer.turns:
            if "send" in turn:
                turn["edges"] = edges(bytes.fromhex(turn["send"]))
    return writer.made(deliveries)


def leads(program: Side) -> Iterator[tuple[Step, ...]]:
    """Yield right conversations behind which the peer of a program is to speak, shortest first."""
    for state, said in sorted(house.LEADS.items(), key=lambda item: len(item[1])):
        if SPEAKERS[str(state)] == program.other:
            yield tuple(
                Say(_frame(each)) if each.spec.sender is program else Hear(_frame(each))
                for each in said
            )


def plain_twin(frame: bytes) -> bytes:
    """Return the message of the corpus's usual conversations that says most nearly the same.

    With the same version, and as many prompts or responses. What is no message stays as it is.
    """
    try:
        message = cursor.decode(frame)
    except cursor.Refused:
        return frame
    twin = neutral(_TWINS[cursor.NAMES[message["type"]]])
    if "version" in message:
        twin["version"] = message["version"]
    if message.get("method", b"") != twin.get("method", b""):
        twin["method"] = house.OTHER.method.encode()  # type: ignore[union-attr]
    for name in {"prompts", "responses"} & twin.keys():
        usual = twin[name]
        twin[name] = [usual[at % len(usual)] for at in range(len(message[name]))]
    return grammar.build(twin)


_TWINS: Final = {each.spec.name: each for each in house.ONE_OF_EACH}


def _frame(message: Message) -> bytes:
    return grammar.build(neutral(message))


class _Writer:
    """Writes the turns of a dialogue, step by step.

    Args:
        program: the side under test.

    Attributes:
        turns: what has been written.
    """

    def __init__(self, program: Side) -> None:
        self.turns: list[JSON] = []
        self._program = program
        self._model = Model(program, Limits())
        self._said: list[Message] = []
        self._rest = b""
        self._judgement: Judgement | None = None

    @property
    def _state(self) -> State:
        return State(self._model.situation.state)

    @property
    def _its_turn(self) -> bool:
        """Whether the program is to speak, by what was right so far."""
        return SPEAKERS[self._state] == self._program

    def say(self, frame: bytes) -> bool:
        """Have the program say a frame; return whether it can be brought to."""
        message = _message(frame)
        if not self._can_be_had(message):
            return False
        self._model.say(frame)
        if self._program is Side.CLIENT:
            self.turns += beside(message)
        self.turns.append({"expect": expected(message, self._said)})
        self._said.append(message)
        return True

    def _can_be_had(self, message: Message) -> bool:
        usual = KEYBOARD_INTERACTIVE
        match message:
            case PluginInitFailure():
                return False
            case PluginProtocolAccept():
                return self._model.situation.method == usual.encode()
            case PluginProtocolReject():
                return self._model.situation.method != usual.encode()
            case PluginProtocol():
                return message.method == usual
        return True

    def hear(self, data: bytes) -> None:
        """Send bytes to the program."""
        good = []
        rest = data
        for frame in split(data):
            self._model.hear(frame)
            if not self._model.inbox:
                break
            self._model.inbox.clear()
            good.append(frame)
            rest = rest[len(frame) :]
        turn: JSON = {"send": data.hex()}
        if good:
            turn["messages"] = [message_json(cursor.decode(frame)) for frame in good]
            self._said += map(_message, good)
        self.turns.append(turn)
        self._rest = rest
        if self._model.violation is not None:
            self._refuse(turn)

    def end(self) -> None:
        """End the program's input, and let it say what it may still say."""
        turn: JSON = {"end_of_input": True}
        if self._judgement is None:
            self._model.end_of_file()
            if self._model.violation is not None:
                self._refuse(self.turns[-1] if self._rest else turn)
        self.turns += (turn, *self._still_allowed(), {"expect_end": True})

    def _refuse(self, turn: JSON) -> None:
        """Say what is wrong with the last words of the peer, which stand in a turn."""
        problem = self._model.violation
        assert problem is not None
        judgement = judged(self._rest, problem)
        if problem.code == "wrong-turn":
            # Who reads one message at a time cannot see that another came too early (H.1).
            judgement = replace(judgement, flag=_EARLY, open_question=_EARLY)
        elif judgement.read is not None:
            named = cursor.NAMES[judgement.read["type"]]
            after = step(self._model.situation, self._program.other, named, judgement.read)
            if after.refusal is not None:
                flag = flag_of(after.refusal)
                judgement = replace(judgement, flag=flag, open_question=None)
        self._judgement = judgement
        turn["fault"] = {"code": problem.code, "sentence": judgement.phrase}

    def _still_allowed(self) -> Iterator[JSON]:
        """Yield what the program may say behind the end of its input, as turns."""
        program = self._program
        question = None if self._judgement is None else self._judgement.open_question
        if self._judgement is None or question == _EARLY:
            # It cannot know yet that the input has ended, and owes a message, or may say one.
            if self._its_turn:
                yield {"allow": allowed(self._state, program)}
            if self._judgement is not None:
                yield from self._answers_to_early()
        elif question == "bad-method-name":
            yield {"allow": [{"type": PluginProtocolReject.spec.name}], "lenient": True}
        elif question is not None:
            yield from as_if_right(program, TYPES[str(name_of(self._rest))].spec.enters)
        elif program is Side.PLUGIN and self._state is State.START:
            yield {"allow": [{"type": PluginInitFailure.spec.name}], "lenient": True}

    def _answers_to_early(self) -> Iterator[JSON]:
        """Yield what the program may say to what came too early, once it has had its own turn."""
        try:
            early = TYPES[cursor.NAMES[cursor.decode(split(self._rest)[0])["type"]]].spec
        except cursor.Refused:
            return
        replies = [TYPES[each["type"]].spec for each in allowed(self._state, self._program)]
        if early.sender is not self._program and early.leaves in {each.enters for each in replies}:
            further = allowed(early.enters, self._program)
            if further:
                yield {"allow": further}

    def _forget_numbers(self) -> None:
        """Leave open how many responses of the user a plugin wants, where it gets none."""
        answered = any(isinstance(message, PluginKIUserResponse) for message in self._said)
        problem = None if self._judgement is None else self._judgement.problem.code
        if not answered and problem != "response-count":
            for turn in self.turns:
                if turn.get("expect", {}).get("type") == PluginKIUserRequest.spec.name:
                    turn["expect"].pop("prompts", None)

    def made(self, deliveries: Sequence[Delivery]) -> Made:
        """Return the vector."""
        self._forget_numbers()
        state = str(self._state)
        judgement = self._judgement
        if judgement is None:
            what, words = "nothing is wrong", "right"
            flag, clause, result = "clean", "H.5", "valid"
        else:
            what, words = f"it is sent {judgement.phrase}", judgement.words
            flag, clause = judgement.flag, judgement.clause
            result = "invalid" if judgement.open_question is None else "acceptable"
        return Made(
            _KINDS[self._program],
            f"{state.lower().replace('_', '-')}-{words}",
            {
                "sentence": found(f"a {self._program} stands in the state {state}, and {what}"),
                "clause": clause,
                "result": result,
                "flags": [flag],
                "deliveries": [str(each) for each in deliveries],
                "turns": self.turns,
            },
        )


_EARLY: Final = "early-speech"


def _message(frame: bytes) -> Message:
    """Return the message that a frame is, as the cursor decoder reads it."""
    form = message_json(cursor.decode(frame))
    if "prompts" in form:
        form["prompts"] = [(each["prompt"], each["echo"]) for each in form["prompts"]]
    return TYPES[form.pop("type")](**form)
