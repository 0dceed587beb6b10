"""One decoder and one encoder for each message of SSH's user authentication, straight-line.

Written by codec/generate.py from the message table: change the table, then run it again.

A decoder takes a whole frame whose length field has been checked. It only notices that something
is wrong, raises one of UNREADABLE, and leaves it to `refuse_frame` to find out what. An encoder
puts the fields together, raises one of UNWRITABLE where it cannot or must not, and leaves the rest
to `refuse_message`. `authplugin.userauth.decode` and `authplugin.userauth.encode` are what to call.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from ..kinds import BOOLEANS, OCTETS
from ..limits import Limits
from ..text import STEP, are_names, are_utf8, is_ascii
from .messages import (
    UserAuthBanner,
    UserAuthFailure,
    UserAuthInfoRequest,
    UserAuthInfoResponse,
    UserAuthKeyboardInteractive,
    UserAuthMessage,
    UserAuthNone,
    UserAuthOther,
    UserAuthPassword,
    UserAuthPasswordChange,
    UserAuthPasswordChangeRequired,
    UserAuthPublicKey,
    UserAuthPublicKeyOk,
    UserAuthPublicKeyQuery,
    UserAuthSuccess,
)

get_head = struct.Struct(">IB").unpack_from
get_uint32 = struct.Struct(">I").unpack_from
put_head = struct.Struct(">IB").pack
put_head_uint32 = struct.Struct(">IBI").pack
put_uint32 = struct.Struct(">I").pack

UNREADABLE: Final = (struct.error, IndexError)
UNWRITABLE: Final = (struct.error, TypeError, ValueError, KeyError, AttributeError)


def decode_user_auth_none(frame: memoryview, limits: Limits) -> UserAuthNone:
    """Decode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 5.2)."""
    size = len(frame)
    longest = limits.text
    (user_size,) = get_uint32(frame, 5)
    user_end = 9 + user_size
    (service_size,) = get_uint32(frame, user_end)
    service_end = user_end + 4 + service_size
    if frame[service_end : service_end + 8].tobytes() != b"\x00\x00\x00\x04none":
        raise IndexError
    if size != service_end + 8 or user_size > longest or service_size > longest:
        raise IndexError
    user = frame[9:user_end]
    service = frame[user_end + 4 : service_end]
    if size > STEP or not (user.tobytes().isascii() and service.tobytes().isascii()):
        utf8 = (user,)
        if not is_ascii(service) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthNone(user, service)


def encode_user_auth_none(source: UserAuthNone, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 5.2)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    user = source.user
    if isinstance(user, str):
        user = user.encode()
    else:
        given.append(user)
    user_size = len(user)
    service = source.service
    if isinstance(service, str):
        service = service.encode("ascii")
    elif not is_ascii(memoryview(service)):
        raise ValueError
    service_size = len(service)
    size = 17 + user_size + service_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 50, user_size),
        user,
        put_uint32(service_size),
        service,
        b"\x00\x00\x00\x04none",
    ]
    if size > limits.frame or user_size > longest or service_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_password(frame: memoryview, limits: Limits) -> UserAuthPassword:
    """Decode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 8)."""
    size = len(frame)
    longest = limits.text
    (user_size,) = get_uint32(frame, 5)
    user_end = 9 + user_size
    (service_size,) = get_uint32(frame, user_end)
    service_end = user_end + 4 + service_size
    if frame[service_end : service_end + 12].tobytes() != b"\x00\x00\x00\x08password":
        raise IndexError
    if frame[service_end + 12 : service_end + 13].tobytes() != b"\x00":
        raise IndexError
    (password_size,) = get_uint32(frame, service_end + 13)
    password_end = service_end + 17 + password_size
    if (
        size != password_end
        or user_size > longest
        or service_size > longest
        or password_size > longest
    ):
        raise IndexError
    user = frame[9:user_end]
    service = frame[user_end + 4 : service_end]
    password = frame[service_end + 17 : password_end]
    if size > STEP or not (
        user.tobytes().isascii() and service.tobytes().isascii() and password.tobytes().isascii()
    ):
        utf8 = (user, password)
        if not is_ascii(service) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthPassword(user, service, password)


def encode_user_auth_password(source: UserAuthPassword, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 8)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    user = source.user
    if isinstance(user, str):
        user = user.encode()
    else:
        given.append(user)
    user_size = len(user)
    service = source.service
    if isinstance(service, str):
        service = service.encode("ascii")
    elif not is_ascii(memoryview(service)):
        raise ValueError
    service_size = len(service)
    password = source.password
    if isinstance(password, str):
        password = password.encode()
    else:
        given.append(password)
    password_size = len(password)
    size = 26 + user_size + service_size + password_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 50, user_size),
        user,
        put_uint32(service_size),
        service,
        b"\x00\x00\x00\x08password",
        b"\x00",
        put_uint32(password_size),
        password,
    ]
    if (
        size > limits.frame
        or user_size > longest
        or service_size > longest
        or password_size > longest
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_password_change(frame: memoryview, limits: Limits) -> UserAuthPasswordChange:
    """Decode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 8)."""
    size = len(frame)
    longest = limits.text
    (user_size,) = get_uint32(frame, 5)
    user_end = 9 + user_size
    (service_size,) = get_uint32(frame, user_end)
    service_end = user_end + 4 + service_size
    if frame[service_end : service_end + 12].tobytes() != b"\x00\x00\x00\x08password":
        raise IndexError
    if frame[service_end + 12 : service_end + 13].tobytes() != b"\x01":
        raise IndexError
    (password_size,) = get_uint32(frame, service_end + 13)
    password_end = service_end + 17 + password_size
    (new_password_size,) = get_uint32(frame, password_end)
    new_password_end = password_end + 4 + new_password_size
    if (
        size != new_password_end
        or user_size > longest
        or service_size > longest
        or password_size > longest
        or new_password_size > longest
    ):
        raise IndexError
    user = frame[9:user_end]
    service = frame[user_end + 4 : service_end]
    password = frame[service_end + 17 : password_end]
    new_password = frame[password_end + 4 : new_password_end]
    if size > STEP or not (
        user.tobytes().isascii()
        and service.tobytes().isascii()
        and password.tobytes().isascii()
        and new_password.tobytes().isascii()
    ):
        utf8 = (user, password, new_password)
        if not is_ascii(service) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthPasswordChange(user, service, password, new_password)


def encode_user_auth_password_change(source: UserAuthPasswordChange, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 8)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    user = source.user
    if isinstance(user, str):
        user = user.encode()
    else:
        given.append(user)
    user_size = len(user)
    service = source.service
    if isinstance(service, str):
        service = service.encode("ascii")
    elif not is_ascii(memoryview(service)):
        raise ValueError
    service_size = len(service)
    password = source.password
    if isinstance(password, str):
        password = password.encode()
    else:
        given.append(password)
    password_size = len(password)
    new_password = source.new_password
    if isinstance(new_password, str):
        new_password = new_password.encode()
    else:
        given.append(new_password)
    new_password_size = len(new_password)
    size = 30 + user_size + service_size + password_size + new_password_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 50, user_size),
        user,
        put_uint32(service_size),
        service,
        b"\x00\x00\x00\x08password",
        b"\x01",
        put_uint32(password_size),
        password,
        put_uint32(new_password_size),
        new_password,
    ]
    if (
        size > limits.frame
        or user_size > longest
        or service_size > longest
        or password_size > longest
        or new_password_size > longest
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_public_key_query(frame: memoryview, limits: Limits) -> UserAuthPublicKeyQuery:
    """Decode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 7)."""
    size = len(frame)
    longest = limits.text
    (user_size,) = get_uint32(frame, 5)
    user_end = 9 + user_size
    (service_size,) = get_uint32(frame, user_end)
    service_end = user_end + 4 + service_size
    if frame[service_end : service_end + 13].tobytes() != b"\x00\x00\x00\tpublickey":
        raise IndexError
    if frame[service_end + 13 : service_end + 14].tobytes() != b"\x00":
        raise IndexError
    (algorithm_size,) = get_uint32(frame, service_end + 14)
    algorithm_end = service_end + 18 + algorithm_size
    (blob_size,) = get_uint32(frame, algorithm_end)
    blob_end = algorithm_end + 4 + blob_size
    if (
        size != blob_end
        or user_size > longest
        or service_size > longest
        or algorithm_size > longest
        or blob_size > longest
    ):
        raise IndexError
    user = frame[9:user_end]
    service = frame[user_end + 4 : service_end]
    algorithm = frame[service_end + 18 : algorithm_end]
    blob = frame[algorithm_end + 4 : blob_end]
    if size > STEP or not (
        user.tobytes().isascii() and service.tobytes().isascii() and algorithm.tobytes().isascii()
    ):
        utf8 = (user,)
        if not all(is_ascii(each) for each in (service, algorithm)) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthPublicKeyQuery(user, service, algorithm, blob)


def encode_user_auth_public_key_query(source: UserAuthPublicKeyQuery, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 7)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    user = source.user
    if isinstance(user, str):
        user = user.encode()
    else:
        given.append(user)
    user_size = len(user)
    service = source.service
    if isinstance(service, str):
        service = service.encode("ascii")
    elif not is_ascii(memoryview(service)):
        raise ValueError
    service_size = len(service)
    algorithm = source.algorithm
    if isinstance(algorithm, str):
        algorithm = algorithm.encode("ascii")
    elif not is_ascii(memoryview(algorithm)):
        raise ValueError
    algorithm_size = len(algorithm)
    blob = source.blob
    blob_size = len(blob)
    size = 31 + user_size + service_size + algorithm_size + blob_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 50, user_size),
        user,
        put_uint32(service_size),
        service,
        b"\x00\x00\x00\tpublickey",
        b"\x00",
        put_uint32(algorithm_size),
        algorithm,
        put_uint32(blob_size),
        blob,
    ]
    if (
        size > limits.frame
        or user_size > longest
        or service_size > longest
        or algorithm_size > longest
        or blob_size > longest
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_public_key(frame: memoryview, limits: Limits) -> UserAuthPublicKey:
    """Decode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 7)."""
    size = len(frame)
    longest = limits.text
    (user_size,) = get_uint32(frame, 5)
    user_end = 9 + user_size
    (service_size,) = get_uint32(frame, user_end)
    service_end = user_end + 4 + service_size
    if frame[service_end : service_end + 13].tobytes() != b"\x00\x00\x00\tpublickey":
        raise IndexError
    if frame[service_end + 13 : service_end + 14].tobytes() != b"\x01":
        raise IndexError
    (algorithm_size,) = get_uint32(frame, service_end + 14)
    algorithm_end = service_end + 18 + algorithm_size
    (blob_size,) = get_uint32(frame, algorithm_end)
    blob_end = algorithm_end + 4 + blob_size
    (signature_size,) = get_uint32(frame, blob_end)
    signature_end = blob_end + 4 + signature_size
    if (
        size != signature_end
        or user_size > longest
        or service_size > longest
        or algorithm_size > longest
        or blob_size > longest
        or signature_size > longest
    ):
        raise IndexError
    user = frame[9:user_end]
    service = frame[user_end + 4 : service_end]
    algorithm = frame[service_end + 18 : algorithm_end]
    blob = frame[algorithm_end + 4 : blob_end]
    signature = frame[blob_end + 4 : signature_end]
    if size > STEP or not (
        user.tobytes().isascii() and service.tobytes().isascii() and algorithm.tobytes().isascii()
    ):
        utf8 = (user,)
        if not all(is_ascii(each) for each in (service, algorithm)) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthPublicKey(user, service, algorithm, blob, signature)


def encode_user_auth_public_key(source: UserAuthPublicKey, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 7)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    user = source.user
    if isinstance(user, str):
        user = user.encode()
    else:
        given.append(user)
    user_size = len(user)
    service = source.service
    if isinstance(service, str):
        service = service.encode("ascii")
    elif not is_ascii(memoryview(service)):
        raise ValueError
    service_size = len(service)
    algorithm = source.algorithm
    if isinstance(algorithm, str):
        algorithm = algorithm.encode("ascii")
    elif not is_ascii(memoryview(algorithm)):
        raise ValueError
    algorithm_size = len(algorithm)
    blob = source.blob
    blob_size = len(blob)
    signature = source.signature
    signature_size = len(signature)
    size = 35 + user_size + service_size + algorithm_size + blob_size + signature_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 50, user_size),
        user,
        put_uint32(service_size),
        service,
        b"\x00\x00\x00\tpublickey",
        b"\x01",
        put_uint32(algorithm_size),
        algorithm,
        put_uint32(blob_size),
        blob,
        put_uint32(signature_size),
        signature,
    ]
    if (
        size > limits.frame
        or user_size > longest
        or service_size > longest
        or algorithm_size > longest
        or blob_size > longest
        or signature_size > longest
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_keyboard_interactive(
    frame: memoryview, limits: Limits
) -> UserAuthKeyboardInteractive:
    """Decode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4256, 3.1)."""
    size = len(frame)
    longest = limits.text
    (user_size,) = get_uint32(frame, 5)
    user_end = 9 + user_size
    (service_size,) = get_uint32(frame, user_end)
    service_end = user_end + 4 + service_size
    if frame[service_end : service_end + 24].tobytes() != b"\x00\x00\x00\x14keyboard-interactive":
        raise IndexError
    (language_size,) = get_uint32(frame, service_end + 24)
    language_end = service_end + 28 + language_size
    (submethods_size,) = get_uint32(frame, language_end)
    submethods_end = language_end + 4 + submethods_size
    if (
        size != submethods_end
        or user_size > longest
        or service_size > longest
        or language_size > longest
        or submethods_size > longest
    ):
        raise IndexError
    user = frame[9:user_end]
    service = frame[user_end + 4 : service_end]
    language = frame[service_end + 28 : language_end]
    submethods = frame[language_end + 4 : submethods_end]
    if size > STEP or not (
        user.tobytes().isascii()
        and service.tobytes().isascii()
        and language.tobytes().isascii()
        and submethods.tobytes().isascii()
    ):
        utf8 = (user, submethods)
        if not all(is_ascii(each) for each in (service, language)) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthKeyboardInteractive(user, service, language, submethods)


def encode_user_auth_keyboard_interactive(
    source: UserAuthKeyboardInteractive, limits: Limits
) -> bytes:
    """Encode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4256, 3.1)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    user = source.user
    if isinstance(user, str):
        user = user.encode()
    else:
        given.append(user)
    user_size = len(user)
    service = source.service
    if isinstance(service, str):
        service = service.encode("ascii")
    elif not is_ascii(memoryview(service)):
        raise ValueError
    service_size = len(service)
    language = source.language
    if isinstance(language, str):
        language = language.encode("ascii")
    elif not is_ascii(memoryview(language)):
        raise ValueError
    language_size = len(language)
    submethods = source.submethods
    if isinstance(submethods, str):
        submethods = submethods.encode()
    else:
        given.append(submethods)
    submethods_size = len(submethods)
    size = 41 + user_size + service_size + language_size + submethods_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 50, user_size),
        user,
        put_uint32(service_size),
        service,
        b"\x00\x00\x00\x14keyboard-interactive",
        put_uint32(language_size),
        language,
        put_uint32(submethods_size),
        submethods,
    ]
    if (
        size > limits.frame
        or user_size > longest
        or service_size > longest
        or language_size > longest
        or submethods_size > longest
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_other(frame: memoryview, limits: Limits) -> UserAuthOther:
    """Decode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 5)."""
    size = len(frame)
    longest = limits.text
    (user_size,) = get_uint32(frame, 5)
    user_end = 9 + user_size
    (service_size,) = get_uint32(frame, user_end)
    service_end = user_end + 4 + service_size
    (method_size,) = get_uint32(frame, service_end)
    method_end = service_end + 4 + method_size
    if size < method_end or user_size > longest or service_size > longest or method_size > longest:
        raise IndexError
    user = frame[9:user_end]
    service = frame[user_end + 4 : service_end]
    method = frame[service_end + 4 : method_end]
    rest = frame[method_end:]
    if size > STEP or not (
        user.tobytes().isascii() and service.tobytes().isascii() and method.tobytes().isascii()
    ):
        utf8 = (user,)
        if not all(is_ascii(each) for each in (service, method)) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthOther(user, service, method, rest)


def encode_user_auth_other(source: UserAuthOther, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_REQUEST frame (RFC 4252, 5)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    user = source.user
    if isinstance(user, str):
        user = user.encode()
    else:
        given.append(user)
    user_size = len(user)
    service = source.service
    if isinstance(service, str):
        service = service.encode("ascii")
    elif not is_ascii(memoryview(service)):
        raise ValueError
    service_size = len(service)
    method = source.method
    if isinstance(method, str):
        method = method.encode("ascii")
    elif not is_ascii(memoryview(method)):
        raise ValueError
    method_size = len(method)
    rest = source.rest
    rest_size = len(rest)
    size = 13 + user_size + service_size + method_size + rest_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 50, user_size),
        user,
        put_uint32(service_size),
        service,
        put_uint32(method_size),
        method,
        rest,
    ]
    if (
        size > limits.frame
        or user_size > longest
        or service_size > longest
        or method_size > longest
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_failure(frame: memoryview, limits: Limits) -> UserAuthFailure:
    """Decode a SSH_MSG_USERAUTH_FAILURE frame (RFC 4252, 5.1)."""
    size = len(frame)
    longest = limits.text
    booleans = BOOLEANS[limits.nonzero_is_true]
    (methods_size,) = get_uint32(frame, 5)
    methods_end = 9 + methods_size
    partial_success = booleans[frame[methods_end]]
    if size != methods_end + 1 or methods_size > longest:
        raise IndexError
    methods = frame[9:methods_end]
    if not are_names(methods):
        raise IndexError
    return UserAuthFailure(methods, partial_success)


def encode_user_auth_failure(source: UserAuthFailure, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_FAILURE frame (RFC 4252, 5.1)."""
    longest = limits.text
    octets = OCTETS[limits.nonzero_is_true]
    methods = source.methods
    if isinstance(methods, str):
        methods = methods.encode("ascii")
    if not are_names(methods):
        raise ValueError
    methods_size = len(methods)
    size = 6 + methods_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 51, methods_size),
        methods,
        octets[source.partial_success],
    ]
    if size > limits.frame or methods_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    return frame


def decode_user_auth_success(frame: memoryview, limits: Limits) -> UserAuthSuccess:
    """Decode a SSH_MSG_USERAUTH_SUCCESS frame (RFC 4252, 5.1)."""
    size = len(frame)
    if size != 5:
        raise IndexError
    return UserAuthSuccess()


def encode_user_auth_success(source: UserAuthSuccess, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_SUCCESS frame (RFC 4252, 5.1)."""
    size = 1
    parts: list[bytes | memoryview] = [put_head(size, 52)]
    return b"".join(parts)


def decode_user_auth_banner(frame: memoryview, limits: Limits) -> UserAuthBanner:
    """Decode a SSH_MSG_USERAUTH_BANNER frame (RFC 4252, 5.4)."""
    size = len(frame)
    longest = limits.text
    (message_size,) = get_uint32(frame, 5)
    message_end = 9 + message_size
    (language_size,) = get_uint32(frame, message_end)
    language_end = message_end + 4 + language_size
    if size != language_end or message_size > longest or language_size > longest:
        raise IndexError
    message = frame[9:message_end]
    language = frame[message_end + 4 : language_end]
    if size > STEP or not (message.tobytes().isascii() and language.tobytes().isascii()):
        utf8 = (message,)
        if not is_ascii(language) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthBanner(message, language)


def encode_user_auth_banner(source: UserAuthBanner, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_BANNER frame (RFC 4252, 5.4)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    message = source.message
    if isinstance(message, str):
        message = message.encode()
    else:
        given.append(message)
    message_size = len(message)
    language = source.language
    if isinstance(language, str):
        language = language.encode("ascii")
    elif not is_ascii(memoryview(language)):
        raise ValueError
    language_size = len(language)
    size = 9 + message_size + language_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 53, message_size),
        message,
        put_uint32(language_size),
        language,
    ]
    if size > limits.frame or message_size > longest or language_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_password_change_required(
    frame: memoryview, limits: Limits
) -> UserAuthPasswordChangeRequired:
    """Decode a SSH_MSG_USERAUTH_PASSWD_CHANGEREQ frame (RFC 4252, 8)."""
    size = len(frame)
    longest = limits.text
    (prompt_size,) = get_uint32(frame, 5)
    prompt_end = 9 + prompt_size
    (language_size,) = get_uint32(frame, prompt_end)
    language_end = prompt_end + 4 + language_size
    if size != language_end or prompt_size > longest or language_size > longest:
        raise IndexError
    prompt = frame[9:prompt_end]
    language = frame[prompt_end + 4 : language_end]
    if size > STEP or not (prompt.tobytes().isascii() and language.tobytes().isascii()):
        utf8 = (prompt,)
        if not is_ascii(language) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthPasswordChangeRequired(prompt, language)


def encode_user_auth_password_change_required(
    source: UserAuthPasswordChangeRequired, limits: Limits
) -> bytes:
    """Encode a SSH_MSG_USERAUTH_PASSWD_CHANGEREQ frame (RFC 4252, 8)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    prompt = source.prompt
    if isinstance(prompt, str):
        prompt = prompt.encode()
    else:
        given.append(prompt)
    prompt_size = len(prompt)
    language = source.language
    if isinstance(language, str):
        language = language.encode("ascii")
    elif not is_ascii(memoryview(language)):
        raise ValueError
    language_size = len(language)
    size = 9 + prompt_size + language_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 60, prompt_size),
        prompt,
        put_uint32(language_size),
        language,
    ]
    if size > limits.frame or prompt_size > longest or language_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_public_key_ok(frame: memoryview, limits: Limits) -> UserAuthPublicKeyOk:
    """Decode a SSH_MSG_USERAUTH_PK_OK frame (RFC 4252, 7)."""
    size = len(frame)
    longest = limits.text
    (algorithm_size,) = get_uint32(frame, 5)
    algorithm_end = 9 + algorithm_size
    (blob_size,) = get_uint32(frame, algorithm_end)
    blob_end = algorithm_end + 4 + blob_size
    if size != blob_end or algorithm_size > longest or blob_size > longest:
        raise IndexError
    algorithm = frame[9:algorithm_end]
    blob = frame[algorithm_end + 4 : blob_end]
    if (size > STEP or not algorithm.tobytes().isascii()) and not is_ascii(algorithm):
        raise IndexError
    return UserAuthPublicKeyOk(algorithm, blob)


def encode_user_auth_public_key_ok(source: UserAuthPublicKeyOk, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_PK_OK frame (RFC 4252, 7)."""
    longest = limits.text
    algorithm = source.algorithm
    if isinstance(algorithm, str):
        algorithm = algorithm.encode("ascii")
    elif not is_ascii(memoryview(algorithm)):
        raise ValueError
    algorithm_size = len(algorithm)
    blob = source.blob
    blob_size = len(blob)
    size = 9 + algorithm_size + blob_size
    parts: list[bytes | memoryview] = [
        put_head_uint32(size, 60, algorithm_size),
        algorithm,
        put_uint32(blob_size),
        blob,
    ]
    if size > limits.frame or algorithm_size > longest or blob_size > longest:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    return frame


def decode_user_auth_info_request(frame: memoryview, limits: Limits) -> UserAuthInfoRequest:
    """Decode a SSH_MSG_USERAUTH_INFO_REQUEST frame (RFC 4256, 3.2)."""
    size = len(frame)
    longest = limits.text
    booleans = BOOLEANS[limits.nonzero_is_true]
    (name_size,) = get_uint32(frame, 5)
    name_end = 9 + name_size
    (instructions_size,) = get_uint32(frame, name_end)
    instructions_end = name_end + 4 + instructions_size
    (language_size,) = get_uint32(frame, instructions_end)
    language_end = instructions_end + 4 + language_size
    (count,) = get_uint32(frame, language_end)
    at = language_end + 4
    if (
        name_size > longest
        or instructions_size > longest
        or language_size > longest
        or count > limits.count
        or count * 5 > size - at
    ):
        raise IndexError
    prompts = []
    for _ in range(count):
        (prompt_size,) = get_uint32(frame, at)
        prompt_start = at + 4
        at = prompt_start + prompt_size
        if at > size or prompt_size > longest:
            raise IndexError
        prompt = frame[prompt_start:at]
        echo = booleans[frame[at]]
        at += 1
        prompts.append((prompt, echo))
    if size != at:
        raise IndexError
    name = frame[9:name_end]
    instructions = frame[name_end + 4 : instructions_end]
    language = frame[instructions_end + 4 : language_end]
    if size > STEP or not (frame.tobytes().isascii() or frame[4:].tobytes().isascii()):
        utf8 = (name, instructions, *[part for part, _ in prompts])
        if not is_ascii(language) or not are_utf8(utf8, size):
            raise IndexError
    return UserAuthInfoRequest(name, instructions, language, prompts)


def encode_user_auth_info_request(source: UserAuthInfoRequest, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_INFO_REQUEST frame (RFC 4256, 3.2)."""
    longest = limits.text
    octets = OCTETS[limits.nonzero_is_true]
    given: list[bytes | memoryview] = []
    name = source.name
    if isinstance(name, str):
        name = name.encode()
    else:
        given.append(name)
    name_size = len(name)
    instructions = source.instructions
    if isinstance(instructions, str):
        instructions = instructions.encode()
    else:
        given.append(instructions)
    instructions_size = len(instructions)
    language = source.language
    if isinstance(language, str):
        language = language.encode("ascii")
    elif not is_ascii(memoryview(language)):
        raise ValueError
    language_size = len(language)
    size = 17 + name_size + instructions_size + language_size
    if not isinstance(source.prompts, (list, tuple)):
        raise TypeError
    count = len(source.prompts)
    parts: list[bytes | memoryview] = [
        b"",
        name,
        put_uint32(instructions_size),
        instructions,
        put_uint32(language_size),
        language,
        put_uint32(count),
    ]
    for prompt, echo in source.prompts:
        if isinstance(prompt, str):
            prompt = prompt.encode()
        else:
            given.append(prompt)
        prompt_size = len(prompt)
        if prompt_size > longest:
            raise ValueError
        size += 5 + prompt_size
        parts += (put_uint32(prompt_size), prompt, octets[echo])
    parts[0] = put_head_uint32(size, 60, name_size)
    if (
        size > limits.frame
        or name_size > longest
        or instructions_size > longest
        or language_size > longest
        or count > limits.count
    ):
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


def decode_user_auth_info_response(frame: memoryview, limits: Limits) -> UserAuthInfoResponse:
    """Decode a SSH_MSG_USERAUTH_INFO_RESPONSE frame (RFC 4256, 3.4)."""
    size = len(frame)
    longest = limits.text
    (count,) = get_uint32(frame, 5)
    at = 9
    if count > limits.count or count * 4 > size - at:
        raise IndexError
    responses = []
    for _ in range(count):
        (response_size,) = get_uint32(frame, at)
        response_start = at + 4
        at = response_start + response_size
        if at > size or response_size > longest:
            raise IndexError
        response = frame[response_start:at]
        responses.append(response)
    if size != at:
        raise IndexError
    if size > STEP or not (frame.tobytes().isascii() or frame[4:].tobytes().isascii()):
        utf8 = (*responses,)
        if not are_utf8(utf8, size):
            raise IndexError
    return UserAuthInfoResponse(responses)


def encode_user_auth_info_response(source: UserAuthInfoResponse, limits: Limits) -> bytes:
    """Encode a SSH_MSG_USERAUTH_INFO_RESPONSE frame (RFC 4256, 3.4)."""
    longest = limits.text
    given: list[bytes | memoryview] = []
    size = 5
    if not isinstance(source.responses, (list, tuple)):
        raise TypeError
    count = len(source.responses)
    parts: list[bytes | memoryview] = [b""]
    for response in source.responses:
        if isinstance(response, str):
            response = response.encode()
        else:
            given.append(response)
        response_size = len(response)
        if response_size > longest:
            raise ValueError
        size += 4 + response_size
        parts += (put_uint32(response_size), response)
    parts[0] = put_head_uint32(size, 61, count)
    if size > limits.frame or count > limits.count:
        raise ValueError
    frame = b"".join(parts)
    if size != len(frame) - 4:
        raise TypeError
    if given and not frame.isascii() and not are_utf8(given, size):
        raise ValueError
    return frame


Decoder = Callable[[memoryview, Limits], UserAuthMessage]

DECODERS: Final[dict[str | None, dict[int, Decoder]]] = {
    None: {
        51: decode_user_auth_failure,
        52: decode_user_auth_success,
        53: decode_user_auth_banner,
    },
    "none": {
        51: decode_user_auth_failure,
        52: decode_user_auth_success,
        53: decode_user_auth_banner,
    },
    "password": {
        51: decode_user_auth_failure,
        52: decode_user_auth_success,
        53: decode_user_auth_banner,
        60: decode_user_auth_password_change_required,
    },
    "publickey": {
        51: decode_user_auth_failure,
        52: decode_user_auth_success,
        53: decode_user_auth_banner,
        60: decode_user_auth_public_key_ok,
    },
    "keyboard-interactive": {
        51: decode_user_auth_failure,
        52: decode_user_auth_success,
        53: decode_user_auth_banner,
        60: decode_user_auth_info_request,
        61: decode_user_auth_info_response,
    },
}
"""By the method under way, which codes from 60 up belong to, and the type byte."""

VARIANTS: Final[dict[bytes, tuple[Decoder, ...]]] = {
    b"none": (decode_user_auth_none,),
    b"password": (decode_user_auth_password, decode_user_auth_password_change),
    b"publickey": (decode_user_auth_public_key_query, decode_user_auth_public_key),
    b"keyboard-interactive": (decode_user_auth_keyboard_interactive,),
    b"": (decode_user_auth_other,),
}
"""By the method that a request names: the decoder, or where a boolean follows, one for
each of its values. No name at all stands for methods that nobody has declared."""

ENCODERS: Final[dict[type[UserAuthMessage], Callable[[Any, Limits], bytes]]] = {
    UserAuthNone: encode_user_auth_none,
    UserAuthPassword: encode_user_auth_password,
    UserAuthPasswordChange: encode_user_auth_password_change,
    UserAuthPublicKeyQuery: encode_user_auth_public_key_query,
    UserAuthPublicKey: encode_user_auth_public_key,
    UserAuthKeyboardInteractive: encode_user_auth_keyboard_interactive,
    UserAuthOther: encode_user_auth_other,
    UserAuthFailure: encode_user_auth_failure,
    UserAuthSuccess: encode_user_auth_success,
    UserAuthBanner: encode_user_auth_banner,
    UserAuthPasswordChangeRequired: encode_user_auth_password_change_required,
    UserAuthPublicKeyOk: encode_user_auth_public_key_ok,
    UserAuthInfoRequest: encode_user_auth_info_request,
    UserAuthInfoResponse: encode_user_auth_info_response,
}
