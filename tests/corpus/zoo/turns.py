"""Mistakes in what a plugin says when, each in the words of somebody who has made it."""

import re
import sys

from plugin import (
    ACCEPT,
    INIT,
    INIT_FAILURE,
    INIT_RESPONSE,
    PASSWORD,
    PROTOCOL,
    REJECT,
    SERVER_REQUEST,
    SERVER_RESPONSE,
    USER_REQUEST,
    Plugin,
    require,
)


class EchoesVersion(Plugin):
    """I sent back the version that the client offered."""

    def answer_init(self, offered: int, username: str) -> str:
        self.send(INIT_RESPONSE, self.uint32(offered), self.text(""))
        return "IDLE"


class SaysVersion3(Plugin):
    """I sent the version of my program."""

    def answer_init(self, offered: int, username: str) -> str:
        self.send(INIT_RESPONSE, self.uint32(3), self.text(""))
        return "IDLE"


class SaysVersion2ToAll(Plugin):
    """I did not look at the version that the client offered."""

    def answer_init(self, offered: int, username: str) -> str:
        self.send(INIT_RESPONSE, self.uint32(2), self.text(""))
        return "IDLE"


class GoesOnAfterInitFailure(Plugin):
    """I went on after PLUGIN_INIT_FAILURE."""

    def answer_init(self, offered: int, username: str) -> str:
        super().answer_init(offered, username)
        return "IDLE"


class AcceptsEveryMethod(Plugin):
    """I accepted whatever method came."""

    def knows(self, method: str) -> bool:
        return True


class AcceptsMethodsThatBeginSo(Plugin):
    """I compared the beginning of the method alone."""

    def knows(self, method: str) -> bool:
        return method.startswith("keyboard-interactive")


class MatchesMethodByPattern(Plugin):
    """I compared the method with a regular expression, whose $ lets a newline through."""

    def knows(self, method: str) -> bool:
        return re.match(r"^keyboard-interactive$", method) is not None


class TrimsMethod(Plugin):
    """I took blanks off both ends of the method before I compared it."""

    def knows(self, method: str) -> bool:
        return super().knows(method.strip())


class TakesNulOffMethod(Plugin):
    """I took off the NUL that ends a string in C, if there was one."""

    def knows(self, method: str) -> bool:
        return super().knows(method.rstrip("\0"))


class AnswersAfterReject(Plugin):
    """I rejected the method, and answered the challenge that followed anyway."""

    def reject(self) -> str:
        super().reject()
        return "REJECTED"

    def handler_of(self, code: int) -> str | None:
        if self.state == "REJECTED":
            return {SERVER_REQUEST: "on_challenge", PROTOCOL: "on_protocol"}.get(code)
        return super().handler_of(code)


class RejectsAndAccepts(Plugin):
    """I forgot to return after the rejection."""

    def reject(self) -> str:
        self.send(REJECT, self.text(""))
        return self.accept()


class AnswersTwice(Plugin):
    """I sent the response in the handler, and again behind it."""

    def respond(self, responses: list[str]) -> str:
        super().respond(responses)
        return super().respond(responses)


class GreetsFirst(Plugin):
    """I sent my PLUGIN_INIT_RESPONSE at the start, without waiting."""

    def on_start(self) -> None:
        self.send(INIT_RESPONSE, self.uint32(2), self.text(""))

    def answer_init(self, offered: int, username: str) -> str:
        return "IDLE"


class AnswersOutcome(Plugin):
    """I confirmed the outcome."""

    def on_success(self) -> str:
        self.send(ACCEPT)
        return super().on_success()


class OneFewer(Plugin):
    """I was off by one."""

    def respond(self, responses: list[str]) -> str:
        return super().respond(responses[:-1])


class AlwaysOneResponse(Plugin):
    """I knew that servers ask for the password alone."""

    def respond(self, responses: list[str]) -> str:
        return super().respond([PASSWORD])


class AlwaysTwoResponses(Plugin):
    """My server asks for a password and a code."""

    def respond(self, responses: list[str]) -> str:
        return super().respond([PASSWORD, "123456"])


class PassesUsersResponses(Plugin):
    """I sent the server as many responses as the user had given."""

    asks = True

    def merged(self, from_user: list[str]) -> list[str]:
        return from_user


class AnswersByPrompt(Plugin):
    """I kept the responses in a dictionary, by the text of their prompts."""

    def respond(self, responses: list[str]) -> str:
        by_prompt = {text: each for (text, _), each in zip(self.prompts, responses, strict=True)}
        return super().respond(list(by_prompt.values()))


class SilentWithoutPrompts(Plugin):
    """I had nothing to answer where there were no prompts."""

    def respond(self, responses: list[str]) -> str:
        return super().respond(responses) if responses else "AUTHENTICATING"


class NeedsPrompts(Plugin):
    """I looked at the first prompt without looking whether there is one."""

    def respond(self, responses: list[str]) -> str:
        print("the first prompt is", self.prompts[0], file=sys.stderr)
        return super().respond(responses)


class KeepsEarlierPrompts(Plugin):
    """I never emptied the list of prompts."""

    def take_challenge(self) -> None:
        earlier = self.prompts
        super().take_challenge()
        self.prompts = earlier + self.prompts


class AsksWithoutEnd(Plugin):
    """I asked again until the answer was right, and it never was."""

    asks = True

    def on_user_response(self) -> str:
        for _ in range(self.take_count(4)):
            self.take_text()
        self.take_end()
        return self.ask()


class AsksAndAnswersAtOnce(Plugin):
    """I asked the user, and answered the server without waiting for what the user says."""

    asks = True

    def ask(self) -> str:
        super().ask()
        return self.respond([PASSWORD] * len(self.prompts))


class TakesEndForAnswer(Plugin):
    """I took the end of the input for a user who answers nothing."""

    asks = True

    def on_end(self) -> None:
        if self.state == "ASKING_USER":
            self.respond(self.merged([""] * len(self.asked)))


class AsksTwiceAtOnce(Plugin):
    """I asked two questions, one after the other, and then read both answers."""

    asks = True
    answered = 0

    def ask(self) -> str:
        super().ask()
        return super().ask()

    def on_user_response(self) -> str:
        self.answered += 1
        given = [self.take_text() for _ in range(self.take_count(4))]
        return "ASKING_USER" if self.answered % 2 else self.respond(self.merged(given))


class AsksWithServersMessage(Plugin):
    """I passed the server's request on as it was, type and all."""

    asks = True

    def ask(self) -> str:
        self.send(SERVER_REQUEST, self.body[1:])
        return "ASKING_USER"


class IgnoresHowManyUserGave(Plugin):
    """I took what the user gave, and filled up with empty ones."""

    asks = True

    def on_user_response(self) -> str:
        given = [self.take_text() for _ in range(self.take_count(4))]
        self.take_end()
        missing = len(self.asked) - len(given)
        return self.respond(self.merged([*given, *[""] * missing]))


class AsksBeforeChallenge(Plugin):
    """I asked the user for a PIN at the start of the login, before any challenge."""

    def accept(self) -> str:
        state = super().accept()
        question = self.text("PIN: ") + self.boolean(False)
        self.send(USER_REQUEST, *map(self.text, ("", "", "")), self.uint32(1), question)
        return state


class AnswersInAnyState(Plugin):
    """I looked at the type of a message, and never at what came before it."""

    def handler_of(self, code: int) -> str | None:
        return next((name for (_, each), name in self.HANDLERS.items() if each == code), None)


class StartsAgain(Plugin):
    """I let PLUGIN_INIT start everything again."""

    def handler_of(self, code: int) -> str | None:
        return "on_init" if code == INIT else super().handler_of(code)


class RejectsUnknownTypes(Plugin):
    """I answered what I did not know with PLUGIN_PROTOCOL_REJECT."""

    def on_frame(self, body: bytes) -> None:
        if body[0] in (*range(1, 9), *range(20, 24)):
            super().on_frame(body)
        else:
            self.send(REJECT, self.text("unknown message"))


class SkipsUnknownTypes(Plugin):
    """I skipped messages whose type I did not know."""

    def on_frame(self, body: bytes) -> None:
        if body[0] in (*range(1, 9), *range(20, 24)):
            super().on_frame(body)


class NeedsUsername(Plugin):
    """I waited for another PLUGIN_INIT where the user name was empty."""

    def answer_init(self, offered: int, username: str) -> str:
        return super().answer_init(offered, username) if username else "START"


class OneChallengeOnly(Plugin):
    """I did not expect a second challenge."""

    def respond(self, responses: list[str]) -> str:
        super().respond(responses)
        return "RESPONDED"

    def handler_of(self, code: int) -> str | None:
        if self.state == "RESPONDED":
            require(code != SERVER_REQUEST, "a second challenge")
            self.state = "AUTHENTICATING"
        return super().handler_of(code)


class FailureIsFinal(Plugin):
    """I had nothing more to do after PLUGIN_AUTH_FAILURE."""

    def on_failure(self) -> str:
        super().on_failure()
        return "ENDED"


class RepeatsResponses(Plugin):
    """I sent the responses again after a failure, with the next acceptance."""

    sent: list[str] | None = None

    def respond(self, responses: list[str]) -> str:
        self.sent = responses
        return super().respond(responses)

    def accept(self) -> str:
        state = super().accept()
        return state if self.sent is None else self.respond(self.sent)


class KeepsFirstResponses(Plugin):
    """I kept the responses of the first attempt, and gave them at each."""

    kept: list[str] | None = None

    def respond(self, responses: list[str]) -> str:
        self.kept = self.kept or responses
        return super().respond(self.kept)


class DeclinesAfterFailure(Plugin):
    """I told of a failed login with PLUGIN_INIT_FAILURE."""

    def on_failure(self) -> str:
        super().on_failure()
        self.send(INIT_FAILURE, self.text("The login has failed."))
        return "IDLE"


class TwoAttemptsOnly(Plugin):
    """I had nothing to answer at a third attempt."""

    attempts = 0

    def accept(self) -> str:
        self.attempts += 1
        require(self.attempts < 3, "no third attempt")
        return super().accept()


class IgnoresHowManyOfTwo(Plugin):
    """I asked two questions, and filled up what the user did not give."""

    asks = True

    def is_for_user(self, prompt: str) -> bool:
        return True

    def on_user_response(self) -> str:
        given = [self.take_text() for _ in range(self.take_count(4))]
        self.take_end()
        missing = len(self.asked) - len(given)
        return self.respond([*given, *[""] * missing])


class OutcomeNeedsChallenge(Plugin):
    """I did not expect an outcome before a challenge."""

    def accept(self) -> str:
        super().accept()
        return "ACCEPTED"

    def handler_of(self, code: int) -> str | None:
        if self.state == "ACCEPTED":
            require(code == SERVER_REQUEST, "not a challenge")
            self.state = "AUTHENTICATING"
        return super().handler_of(code)


class RespondsBeforeItIsAsked(Plugin):
    """I sent my response along with the acceptance, to save time."""

    def accept(self) -> str:
        state = super().accept()
        self.send(SERVER_RESPONSE, self.uint32(1), self.text(PASSWORD))
        return state
