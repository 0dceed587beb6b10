"""Chunks of a byte stream to frames, and to messages, as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from .codec import LENGTH_SIZE, Data, contents_decoder, refuse_length, truncated, view_of
from .errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from .limits import DEFAULT_LIMITS, Limits
from .messages import KEYBOARD_INTERACTIVE
from .table import Message
from .wire import get_uint32

Item = TypeVar("Item")

_NOTHING: Iterator[object] = iter(())


class StreamDecoder(Generic[Item]):
    """Cuts a byte stream into frames, and makes an item of each.

    The items of a chunk come out one by one, in order; an error comes out in its place among them,
    after the good ones before it, however the stream was cut into chunks. From then on the decoder
    is poisoned. A frame that is whole within a chunk is a view of that chunk; one that is not is
    put together once. A claimed length allocates nothing: memory grows with what has come.
    """

    __slots__ = ("_at", "_chunk", "_closed", "_item", "_need", "_partial", "_pending", "limits")

    def __init__(self, limits: Limits, item: Callable[[memoryview], Item]) -> None:
        self.limits = limits
        self._item = item
        self._partial = bytearray()
        self._need = LENGTH_SIZE  # bytes to hold before anything can come out; 0 stops the input
        self._chunk: bytes | memoryview = b""
        self._at = 0
        self._pending: Iterator[Item] | None = None
        self._closed: str | None = None

    @property
    def held(self) -> int:
        """Bytes that have come in and not yet gone out."""
        return len(self._partial) + len(self._chunk) - self._at

    def feed(self, data: Data) -> Iterator[Item]:
        """Take a chunk in, and return an iterator over the items that it completes.

        `bytes` are looked at where they are; a buffer that could change is copied. The iterator
        can be left and taken up again (`iter(decoder)`), but has to be exhausted before the next
        chunk.

        Raises:
            LocalProtocolError: where the items of the last chunk have not all been taken, the
                decoder is poisoned, or the input has ended. Nothing is lost by it.
            RemoteProtocolError: from the iterator, where the stream breaks the protocol.
        """
        if type(data) is not bytes:
            data = view_of(data)
        partial = self._partial
        total = len(partial) + len(data)
        if total < self._need or (self._need == LENGTH_SIZE and self._begins_frame(data, total)):
            partial += data
            return _NOTHING  # type: ignore[return-value]  # an iterator over no items of any kind
        if self._pending is not None or self._closed is not None:
            self._check_open()
        self._chunk = data
        self._need = 0
        self._pending = self._items()
        return self._pending

    def __iter__(self) -> Iterator[Item]:
        """Return the iterator over what is left of the last chunk."""
        return self._pending or iter(())

    def end_of_file(self) -> None:
        """Say that the stream has ended.

        Raises:
            RemoteProtocolError: `end-truncated`, where it ended inside a frame.
            LocalProtocolError: as `feed` does.
        """
        self._check_open()
        self._close("the input has ended")
        if self._partial:
            held, self._partial = len(self._partial), bytearray()
            raise truncated(held)

    def _begins_frame(self, data: bytes | memoryview, total: int) -> bool:
        """Say whether a chunk brings a good length field, and not the whole frame."""
        (length,) = get_uint32(self._partial + data[:LENGTH_SIZE])
        if total >= LENGTH_SIZE + length or length > self.limits.frame:
            return False
        self._need = LENGTH_SIZE + length
        return True

    def _check_open(self) -> None:
        if self._pending is not None:
            raise LocalProtocolError(
                ErrorCode.WRONG_TURN,
                "take all items of the last chunk (iterate over the decoder) before feeding more",
            )
        if self._closed is not None:
            raise LocalProtocolError(ErrorCode.POISONED, f"no more input: {self._closed}")

    def _close(self, reason: str) -> None:
        self._closed = reason
        self._need = 0

    def _items(self) -> Iterator[Item]:
        """Yield the items that the chunk completes, and keep what is left of it."""
        try:
            data, at, limit, item = self._chunk, 0, self.limits.frame, self._item
            partial, size = self._partial, len(data)
            if partial:
                # `feed` saw to it that the chunk brings the whole frame, or a bad length.
                (length,) = get_uint32(partial[:LENGTH_SIZE] + data[:LENGTH_SIZE])
                if length > limit or length == 0:
                    raise self._bad_length(length)
                self._at = at = LENGTH_SIZE + length - len(partial)
                partial += data[:at]
                # Handed over: never resized again, since views of it are out.
                self._partial = bytearray()
                yield item(memoryview(partial).toreadonly())
            need = LENGTH_SIZE
            chunk = memoryview(data)
            last = size - LENGTH_SIZE
            while at <= last:
                (length,) = get_uint32(chunk, at)
                if length > limit or length == 0:
                    raise self._bad_length(length)
                stop = at + LENGTH_SIZE + length
                if stop > size:
                    need = LENGTH_SIZE + length
                    break
                self._at = stop
                yield item(chunk[at:stop])
                at = stop
            self._partial += chunk[at:]
            self._need = need
            self._let_go()
        except RemoteProtocolError as error:
            self._close(f"it was refused with {error.code}")
            self._partial = bytearray()
            self._let_go()
            raise

    def _let_go(self) -> None:
        """Be done with the chunk."""
        self._chunk = b""
        self._at = 0
        self._pending = None

    def _bad_length(self, length: int) -> RemoteProtocolError:
        problem = refuse_length(length, self.limits)
        assert problem is not None
        return problem


class FrameDecoder(StreamDecoder[memoryview]):
    """Chunks to whole frames, their length fields included.

    Args:
        limits: what to accept.
    """

    __slots__ = ()

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(limits, lambda frame: frame)


class MessageDecoder(StreamDecoder[Message]):
    """Chunks to messages.

    Knows nothing of turns: see `ClientSession` and `PluginSession` for that.

    Args:
        limits: what to accept.
        method: the authentication method to which the type codes from 20 up belong; None
            refuses them.

    Raises:
        LocalProtocolError: where no messages are declared for `method`.
    """

    __slots__ = ()

    def __init__(
        self, limits: Limits = DEFAULT_LIMITS, method: str | None = KEYBOARD_INTERACTIVE
    ) -> None:
        super().__init__(limits, contents_decoder(limits, method))
