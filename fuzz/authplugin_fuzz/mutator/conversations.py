"""Conversations, changed: turns taken, lost, repeated, struck and brought in other chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from authplugin import Message, Side, State
from authplugin_corpus.faults import FAULTS, stock_conversations
from authplugin_properties.conversation import LEAVING, Conversation
from authplugin_properties.oracles import cursor

from ..anatomy import BY_CODE, frame_bytes, frames_of, message_of, read_frame, repair
from ..dice import Dice
from ..layers import CHUNKINGS, LIMITS, LONGEST_MOVE, Exchange, How, Move
from ..making import Maker, move_of
from . import fields, streams
from .streams import Stream
from .striking import strike

_MOST_MOVES = 30
_MOST_CHANGES = 3
_UNFIT = 0.3  # how often the next message is not made to fit the conversation
_CHUNKED = 0.2  # how often a new move comes in chunks

_KNOWN: Final = tuple(BY_CODE.values())
_SIDES: Final = tuple(Side)


class Talk:
    """A conversation while it is changed."""

    def __init__(self, data: bytes, dice: Dice) -> None:
        self.dice = dice
        self.exchange = Exchange.from_bytes(data)
        self.make = Maker(dice, self.exchange.limits)

    @property
    def moves(self) -> list[Move]:
        """What happens."""
        return self.exchange.moves

    def index(self) -> int:
        """Choose a move, rather the last; make some where there is none."""
        if not self.moves:
            self.renew()
        last = len(self.moves) - 1
        return last if self.dice.random() < 0.4 else self.dice.upto(last)

    def move(self) -> Move:
        """Choose a move."""
        return self.moves[self.index()]

    def new_move(self, frame: bytes, side: Side) -> Move:
        """Make the move in which a side says a frame."""
        chunking = self.dice.upto(len(CHUNKINGS) - 1) if self.dice.chance(_CHUNKED) else 0
        return Move(side, data=frame, chunking=chunking, unseen=self.dice.chance(0.05))

    # What is said.

    def change_data(self) -> None:
        """Change what a move says, as a stream."""
        move = self.move()
        stream = Stream(move.data, self.dice)
        stream.make = self.make
        self.dice.pick(streams.OF_A_FRAME)(stream)
        move.data = b"".join(stream.frames)[:LONGEST_MOVE]

    def strike(self) -> None:
        """Strike the conversation, or another one, with a fault; what was right is lost."""
        fault = self.dice.pick(FAULTS)
        frames: Sequence[bytes] = [move.data for move in self.moves[: self.follow()[1]]]
        if frames and self.dice.chance(0.5):
            frames = frames[: 1 + self.dice.upto(len(frames) - 1)]
        else:
            known = stock_conversations()[self.dice.pick(_KNOWN)]
            frames = self.dice.pick(known)
        faulty = strike(fault, frames, self.exchange.limits, self.dice)
        if faulty is None:
            return
        right = [move_of(frames_of(frame)[0][0]) for frame in frames[: faulty.kept + 1]]
        right[-1].how = How.LOST
        how = How.END if faulty.ends else How.PUT
        self.moves[:] = [*right, replace(right[-1], how=how, data=faulty.data[:LONGEST_MOVE])]
        self.exchange.rest = b""

    # How it comes.

    def change_how(self) -> None:
        """Let something else happen to what is said."""
        self.move().how = self.dice.pick((How.SAID, How.SAID, How.LOST, How.PUT, How.END))

    def lose(self) -> None:
        """Let what is said come damaged: it is lost, and something near it comes."""
        index = self.index()
        move = self.moves[index]
        move.how = How.LOST
        self.moves.insert(index + 1, replace(move, how=How.PUT))
        stream = Stream(move.data, self.dice)
        self.dice.pick(streams.OF_A_FRAME)(stream)
        self.moves[index + 1].data = b"".join(stream.frames)[:LONGEST_MOVE]

    def end(self) -> None:
        """End the output of a side, perhaps inside a frame."""
        index = self.index()
        move = self.moves[index]
        data = self.dice.pick((b"", move.data[: self.dice.upto(len(move.data))]))
        side = self.dice.pick((move.side, self.dice.pick(_SIDES)))
        at = index + self.dice.upto(1)
        self.moves[at : at + self.dice.upto(1)] = [Move(side, How.END, data)]

    def turn(self) -> None:
        """Let the other side say it."""
        move = self.move()
        move.side = move.side.other

    def rechunk(self) -> None:
        """Let it come in other chunks."""
        self.move().chunking = self.dice.upto(len(CHUNKINGS) - 1)

    def look_away(self) -> None:
        """Let the listener look at it at once, or not yet."""
        move = self.move()
        move.unseen = not move.unseen

    def join(self) -> None:
        """Let two moves of one side be one."""
        index = self.index()
        move = self.moves[index]
        for behind in range(index + 1, len(self.moves)):
            if self.moves[behind].side is move.side:
                move.data = (move.data + self.moves.pop(behind).data)[:LONGEST_MOVE]
                return

    def part(self) -> None:
        """Let one move be two, mostly inside a frame; the second is but put there."""
        index = self.index()
        move = self.moves[index]
        at = self.dice.upto(len(move.data))
        self.moves[index : index + 1] = [
            replace(move, how=How.PUT, data=move.data[:at]),
            replace(move, how=How.PUT, data=move.data[at:]),
        ]

    def relimit(self) -> None:
        """Let both accept something else."""
        self.exchange.head = bytes((self.dice.upto(len(LIMITS) - 1),))
        self.make.limits = self.exchange.limits

    # Turns.

    def drop(self) -> None:
        """Take a move out."""
        del self.moves[self.index()]

    def repeat(self) -> None:
        """Put some moves in once more, right behind themselves or elsewhere."""
        start = self.index()
        stop = start + 1 + self.dice.upto(2)
        at = self.dice.pick((start, self.dice.upto(len(self.moves))))
        self.moves[at:at] = [replace(move) for move in self.moves[start:stop]]

    def swap(self) -> None:
        """Let two moves change places."""
        one, other = self.index(), self.index()
        moves = self.moves
        moves[one], moves[other] = moves[other], moves[one]

    def insert(self) -> None:
        """Let any message be said by its sender, or come from somebody."""
        frame = self.make.frame(self.dice.pick(_KNOWN))
        move = move_of(frame)
        if self.dice.chance(0.3):
            move.how = How.PUT
            move.side = self.dice.pick(_SIDES)
        self.moves.insert(self.dice.pick((len(self.moves), self.dice.upto(len(self.moves)))), move)

    def cut(self) -> None:
        """End the conversation somewhere."""
        del self.moves[self.index() :]
        self.exchange.rest = b""

    def renew(self) -> None:
        """Begin another conversation, a right one."""
        frames = self.make.dialogue(1 + self.dice.upto(12))
        self.moves[:] = [self.new_move(each.data, each.side) for each in map(move_of, frames)]
        self.exchange.rest = b""

    def settle(self) -> None:
        """Put right what is wrong with the turns, as far as the types go."""
        self.follow(settle=True)

    def go_on(self) -> None:
        """Let the conversation go on where it is right no more, or where it ends.

        At times with a message that is right but for what was said before it.
        """
        conversation, at = self.follow(settle=self.dice.chance(0.5))
        if self.dice.chance(0.7):
            del self.moves[at:]
            self.exchange.rest = b""
        for index in range(at, at + 1 + self.dice.upto(3)):
            if LEAVING[conversation.state] and self.dice.chance(_UNFIT):
                self.moves.insert(index, self.unfit(conversation))
                break
            frame = self.make.next_frame(conversation)
            if frame is None:
                break
            right = move_of(frame)
            self.moves.insert(index, self.new_move(right.data, right.side))

    def unfit(self, conversation: Conversation) -> Move:
        """Make a move that is right but for a field, or for what was said before it."""
        frame = self.make.frame(self.dice.pick(LEAVING[conversation.state]))
        if self.dice.chance(0.7):
            self.make.bind(frame, conversation)
            self.dice.pick((fields.change_value, fields.spoil))(frame, self.make)
        move = move_of(frame)
        move.data = move.data[:LONGEST_MOVE]
        # Whoever is to say it has to refuse; where it comes all the same, the other has to.
        move.how = self.dice.pick((How.SAID, How.SAID, How.PUT))
        return move

    def follow(self, *, settle: bool = False) -> tuple[Conversation, int]:
        """Return the conversation as far as it is right, and how many moves that is."""
        conversation = Conversation()
        for index, move in enumerate(self.moves):
            if settle and len(move.data) > 4:
                self._settle(move, conversation)
            message = self._right(move)
            if message is None or not conversation.fits(message):
                return conversation, index
            conversation.add(message)
        return conversation, len(self.moves)

    def _settle(self, move: Move, conversation: Conversation) -> None:
        frame = read_frame(move.data[4], move.data[5:])
        if frame.message in conversation.options():
            repair(frame, self.make.value)
            self.make.bind(frame, conversation)
            move.data = frame_bytes(frame)[:LONGEST_MOVE]
            move.how, move.side = How.SAID, move_of(frame).side

    def _right(self, move: Move) -> Message | None:
        """Return the message that a move says, where it says one and nothing else."""
        return right_message(move, self.exchange)


def right_message(move: Move, exchange: Exchange) -> Message | None:
    """Return the message that its sender says in a move, where nothing else happens."""
    if move.how is not How.SAID:
        return None
    # Nothing here asks the codec: where it is wrong, a target has to find out.
    try:
        cursor.decode(move.data, exchange.limits)
    except cursor.Refused:
        return None
    message = message_of(read_frame(move.data[4], move.data[5:]))
    return message if message.spec.sender is move.side else None


TalkChange: TypeAlias = Callable[[Talk], None]

_CHANGES: Final[tuple[TalkChange, ...]] = (
    *(Talk.change_data,) * 8,
    *(Talk.strike,) * 3,
    Talk.change_how,
    *(Talk.lose,) * 2,
    *(Talk.end,) * 2,
    Talk.turn,
    *(Talk.rechunk,) * 2,
    *(Talk.look_away,) * 2,
    Talk.join,
    Talk.part,
    *(Talk.relimit,) * 2,
    Talk.drop,
    Talk.repeat,
    Talk.swap,
    Talk.insert,
    Talk.cut,
    *(Talk.renew,) * 2,
    *(Talk.settle,) * 2,
    *(Talk.go_on,) * 10,
)
"""What can be done to a conversation, as often as it is to be done."""


def mutate(data: bytes, max_size: int, dice: Dice) -> bytes:
    """Change a conversation."""
    talk = Talk(data, dice)
    for _ in range(1 + dice.upto(_MOST_CHANGES - 1)):
        dice.pick(_CHANGES)(talk)
    return _within(talk.exchange, max_size, dice)


def _within(exchange: Exchange, max_size: int, dice: Dice) -> bytes:
    """Put a conversation together, without some of its moves where it is too long."""
    moves = exchange.moves
    del moves[_MOST_MOVES:]
    while len(made := exchange.to_bytes()) > max_size and moves:
        del moves[dice.upto(len(moves) - 1)]
    return made


def cross(first: bytes, second: bytes, max_size: int, dice: Dice) -> bytes:
    """Return the beginning of one conversation, and the other from where it was in that state."""
    one, other = Exchange.from_bytes(first), Exchange.from_bytes(second)
    before, behind = _states(one), _states(other)
    fitting = [
        (at, start)
        for at, state in enumerate(before)
        for start, reached in enumerate(behind)
        if state is reached and (at or start)
    ]
    if fitting and dice.chance(0.8):
        at, start = dice.pick(fitting)
    else:
        at, start = dice.upto(len(one.moves)), dice.upto(len(other.moves))
    one.moves[at:] = other.moves[start:]
    one.rest = other.rest
    return _within(one, max_size, dice)


def _states(exchange: Exchange) -> list[State]:
    """Return the state before each move, and behind the last, as long as all is right."""
    conversation = Conversation()
    states = [conversation.state]
    for move in exchange.moves:
        message = right_message(move, exchange)
        if message is None or not conversation.fits(message):
            break
        conversation.add(message)
        states.append(conversation.state)
    return states
