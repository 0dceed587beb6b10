"""What must hold of the codec and both roles, whatever comes in.

Each law is stated once, as a plain function of plain data, so that every engine can run it: a test,
a fuzzer, an explorer. It returns None where the law holds and raises `LawBroken` where it does not.
Every law asks besides that nothing but a `ProtocolError` is raised. `properties` has each of them
beside a strategy for its arguments.

* of one frame of any protocol: `agrees_with_cursor`, `agrees_with_grammar`, `round_trip`,
  `round_trip_message`, `a_frame_costs_what_it_holds`, `no_secret_in_a_frame`
* of bytes that come: `chunking_changes_nothing`, `good_before_bad`, `only_protocol_error`,
  `poisoned_stays_poisoned`, `prefix_yields_nothing_else`
* of conversations: `agrees_with_model`, and all of the last but `good_before_bad`
* of what it takes: `held_is_bounded`, `memory_is_bounded`, `work_is_linear`
* of what may be seen: `no_secret_in_any_text`
* of SSH's user authentication: `userauth_server_agrees`, and with a bridge and a plugin
  `three_agree`
"""

from ..breaking import LawBroken
from .bridges import three_agree
from .costs import held_is_bounded, memory_is_bounded, work_is_linear
from .frames import agrees_with_cursor, agrees_with_grammar, round_trip, round_trip_message
from .poison import poisoned_stays_poisoned
from .secrecy import no_secret_in_any_text
from .server import userauth_server_agrees
from .streams import (
    ALL,
    CHUNKED,
    agrees_with_model,
    chunking_changes_nothing,
    good_before_bad,
    only_protocol_error,
    prefix_yields_nothing_else,
)
from .userauth import a_frame_costs_what_it_holds, no_secret_in_a_frame

__all__ = [
    "ALL",
    "CHUNKED",
    "LawBroken",
    "a_frame_costs_what_it_holds",
    "agrees_with_cursor",
    "agrees_with_grammar",
    "agrees_with_model",
    "chunking_changes_nothing",
    "good_before_bad",
    "held_is_bounded",
    "memory_is_bounded",
    "no_secret_in_a_frame",
    "no_secret_in_any_text",
    "only_protocol_error",
    "poisoned_stays_poisoned",
    "prefix_yields_nothing_else",
    "round_trip",
    "round_trip_message",
    "three_agree",
    "userauth_server_agrees",
    "work_is_linear",
]
