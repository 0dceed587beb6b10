"""A conversation that has every message, in frames written by hand, and what leads to each."""

from authplugin_properties.oracles import cursor

INIT = b"\0\0\0\x16\x01\0\0\0\x02\0\0\0\x02ab\0\0\0\x16\0\0\0\x03bob"
INIT_RESPONSE = b"\0\0\0\x0c\x02\0\0\0\x02\0\0\0\x03amy"
INIT_FAILURE = b"\0\0\0\x08\x08\0\0\0\x03\xe2\x82\xac"
PROTOCOL = b"\0\0\0\x19\x03\0\0\0\x14keyboard-interactive"
ACCEPT = b"\0\0\0\x01\x04"
REJECT = b"\0\0\0\x06\x05\0\0\0\x01n"
SERVER_REQUEST = (
    b"\0\0\0\x21\x14\0\0\0\x01n\0\0\0\x02in\0\0\0\x02en\0\0\0\x02\0\0\0\x01p\x00\0\0\0\x00\x01"
)
SERVER_RESPONSE = b"\0\0\0\x0f\x15\0\0\0\x02\0\0\0\0\0\0\0\x02pw"
USER_REQUEST = b"\0\0\0\x17\x16\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01?\x01"
USER_RESPONSE = b"\0\0\0\x0d\x17\0\0\0\x01\0\0\0\x04\xf0\x9f\x94\x91"
SUCCESS = b"\0\0\0\x01\x06"
FAILURE = b"\0\0\0\x01\x07"

_TALK = [INIT, INIT_RESPONSE, PROTOCOL, ACCEPT, SERVER_REQUEST, USER_REQUEST, USER_RESPONSE]

CONVERSATIONS = [
    [INIT, INIT_FAILURE],
    [INIT, INIT_RESPONSE, PROTOCOL, REJECT, PROTOCOL, ACCEPT, FAILURE, PROTOCOL],
    [*_TALK, SERVER_RESPONSE, SUCCESS, PROTOCOL],
]
"""Right conversations, from the first frame."""

LEADS = {
    cursor.NAMES[conversation[stop - 1][4]]: conversation[:stop]
    for conversation in CONVERSATIONS
    for stop in range(1, len(conversation) + 1)
}
"""For each message a right conversation that ends with it."""

FRAMES = {name: lead[-1] for name, lead in LEADS.items()}
"""A frame of each message."""
