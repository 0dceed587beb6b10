"""What a module can be changed into: its mutants, each one small mistake.

The operators are mutmut's, applied to every statement, also to those that mutmut itself leaves out
since it switches mutants on at run time: decorated functions, methods of enumerations, and what a
module or a class does while it is made, its constants, declarations and tables. Three operators are
added: a condition is negated, a statement left out, a result lost.

Left out is what changes nothing, or nothing that runs here: annotations, names of type variables,
branches for another system (those that `make coverage` leaves out), and the words of a sentence,
which are for people and promised to nobody.
"""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string

Pair = tuple[cst.CSTNode, cst.CSTNode | None]
"""What stands there, and what is to stand there instead; None for `pass`."""

GENERATOR: Final = ("generate.py", "source.py", "writer.py")
"""Modules whose strings are code."""

_SENTENCE: Final = re.compile(r"[a-z,;:] +[a-zA-Z]")
_TYPING: Final = ("TypeAlias", "TypeVar", "NewType")


@dataclass(frozen=True)
class Mutant:
    """One small mistake.

    Attributes:
        module: the file, from the folder `codec`.
        scope: the function or class that it is in, such as `FrameReader.string`; empty outside.
        before: the lines that differ, as they are, each without its indentation.
        after: the same lines, changed.
        number: counts those that the other attributes do not tell apart, from 0.
        lines: numbers of the lines of the statement that is changed, first and last.
        text: the whole module, changed.
        top: the statement at the top of the module that is changed, such as a class, as it is then.
    """

    module: str
    scope: str
    before: str
    after: str
    number: int
    lines: tuple[int, int]
    text: str
    top: str

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """What names it, also when it has moved to other lines."""
        return self.module, self.scope, self.before, self.after, self.number

    @cached_property
    def digest(self) -> str:
        """A short name, which stays the same as long as the changed function or class does."""
        return hashlib.sha256(f"{self.module}\0{self.top}".encode()).hexdigest()[:16]

    def __str__(self) -> str:
        removed = "".join(f"\n    - {line}" for line in self.before.splitlines())
        added = "".join(f"\n    + {line}" for line in self.after.splitlines())
        return f"{self.module}:{self.lines[0]} {self.scope}{removed}{added}"


def mutants(path: Path, module: str) -> list[Mutant]:
    """Return the mutants of the module at `path`, in the order of its lines."""
    source = path.read_text(encoding="utf-8")
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    finder = _Finder(wrapper.module, source, sentences=module in GENERATOR)
    wrapper.visit(finder)
    seen = {_compiled(source)}
    numbers: Counter[tuple[str, str, str]] = Counter()
    found = []
    for start, stop, new, scope, lines in finder.found:
        text = (finder.octets[:start] + new.encode() + finder.octets[stop:]).decode()
        code = _compiled(text)
        if code is None or code in seen:
            continue
        seen.add(code)
        first = source.count("\n", 0, len(finder.octets[:start].decode()))
        last = source.count("\n", 0, len(finder.octets[:stop].decode()))
        more = text.count("\n") - source.count("\n")
        before = _stripped(source, first, last)
        after = _stripped(text, first, last + more)
        start = max((end for end in finder.ends if end <= first), default=0)
        stop = min(end for end in finder.ends if end > first)
        top = "\n".join(text.split("\n")[start : stop + more])
        number = numbers[scope, before, after]
        numbers[scope, before, after] += 1
        found.append(Mutant(module, scope, before, after, number, lines, text, top))
    return found


def _stripped(text: str, first: int, last: int) -> str:
    return "\n".join(line.strip() for line in text.split("\n")[first : last + 1])


def _compiled(text: str) -> bytes | None:
    """Return a digest of what Python reads in the text; None where it is not Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    return hashlib.sha256(ast.dump(tree).encode()).digest()


class _Finder(cst.CSTVisitor):
    """Finds everything that can be changed: (start, stop, replacement, scope, lines)."""

    METADATA_DEPENDENCIES = (ByteSpanPositionProvider, PositionProvider)

    def __init__(self, module: cst.Module, source: str, *, sentences: bool) -> None:
        self.module = module
        self.octets = source.encode()
        self.sentences = sentences
        self.found: list[tuple[int, int, str, str, tuple[int, int]]] = []
        self.scope: list[str] = []
        self.statements: list[tuple[int, int]] = []
        self.ends: list[int] = []  # of the statements at the top, the last line of each
        self.types: set[cst.CSTNode] = set()  # first arguments of `cast`

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Module):
            places = (self.get_metadata(PositionProvider, each) for each in node.body)
            self.ends += (place.end.line for place in places)
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.statements.append(self._head(node, node.body))
            self.scope.append(node.name.value)
        elif isinstance(node, cst.BaseCompoundStatement):
            self.statements.append(self._head(node, getattr(node, "body", node)))
        elif isinstance(node, cst.BaseSmallStatement):
            place = self.get_metadata(PositionProvider, node)
            self.statements.append((place.start.line, place.end.line))
        if isinstance(node, cst.Call) and _name_of(node) == "cast":
            self.types.add(node.args[0])
        if node in self.types or _left_out(node, self.module):
            return False
        for old, new in self._changes(node):
            self._add(old, new)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self.scope.pop()
        if isinstance(original_node, cst.BaseCompoundStatement | cst.BaseSmallStatement):
            self.statements.pop()

    def _head(self, node: cst.CSTNode, body: cst.CSTNode) -> tuple[int, int]:
        start = self.get_metadata(PositionProvider, node).start.line
        return start, max(start, self.get_metadata(PositionProvider, body).start.line - 1)

    def _changes(self, node: cst.CSTNode) -> Iterator[Pair]:
        for kind, operator in mutation_operators:
            if isinstance(node, kind) and self._applies(operator, node):
                changed = list(operator(node))
                # Of a string, mutmut also changes the case: who sees one of them sees the other.
                for each in changed[:1] if operator is operator_string else changed:
                    if not _is_weaker(node, each):
                        yield node, each
        yield from _negated(node)
        yield from _lost(node)

    def _applies(self, operator: Callable[..., Any], node: cst.CSTNode) -> bool:
        if operator is operator_string and isinstance(node, cst.SimpleString):
            return self.sentences or not _SENTENCE.search(node.value)
        if operator is operator_arg_removal and isinstance(node, cst.Call):
            # mutmut's own rule: without an argument these only raise TypeError.
            return _name_of(node) not in ("len", "isinstance", "cast")
        return True

    def _add(self, old: cst.CSTNode, new: cst.CSTNode | None) -> None:
        span = self.get_metadata(ByteSpanPositionProvider, old)
        # The span of an operator is without the spaces around it, that of an expression without its
        # parentheses: they are still there, and more of either changes nothing.
        text = "pass" if new is None else self.module.code_for_node(new).strip()
        place = (span.start, span.start + span.length)
        if self.octets[span.start : span.start + 1] == b" ":
            text = f" {text}"
        self.found.append((*place, text, ".".join(self.scope), self.statements[-1]))


def _name_of(call: cst.Call) -> str:
    return call.func.value if isinstance(call.func, cst.Name) else ""


def _negated(node: cst.CSTNode) -> Iterator[Pair]:
    """Yield the condition of a statement negated, where no other operator does."""
    if isinstance(node, cst.If | cst.While | cst.CompIf):
        test = node.test
        if not isinstance(test, cst.Comparison | cst.BooleanOperation | cst.UnaryOperation):
            inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            yield test, cst.UnaryOperation(cst.Not(), inner)


def _lost(node: cst.CSTNode) -> Iterator[Pair]:
    """Yield a statement left out, or its result."""
    if isinstance(node, cst.Raise) or (
        isinstance(node, cst.Expr) and isinstance(node.value, cst.Call | cst.Yield)
    ):
        yield node, None
    elif isinstance(node, cst.Return) and node.value is not None and not _is_bool(node.value):
        yield node.value, cst.Name("None", lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _is_weaker(old: cst.CSTNode, new: cst.CSTNode) -> bool:
    """Say whether None is to take the place of True or False, which another mutant flips."""
    before = old.args if isinstance(old, cst.Call) else [old]
    after = new.args if isinstance(new, cst.Call) else [new]
    return len(before) == len(after) and any(
        _is_bool(getattr(each, "value", None)) and not _is_bool(getattr(other, "value", None))
        for each, other in zip(before, after, strict=True)
    )


def _is_bool(node: cst.CSTNode | None) -> bool:
    return isinstance(node, cst.Name) and node.value in ("True", "False")


def _left_out(node: cst.CSTNode, module: cst.Module) -> bool:
    """Say whether nothing in a node is to be changed."""
    if isinstance(node, cst.Import | cst.ImportFrom):
        return True
    if isinstance(node, cst.Annotation):
        # Only the declaration of a message's field does something.
        return "Kind(" not in module.code_for_node(node.annotation)
    if isinstance(node, cst.Decorator):
        return module.code_for_node(node.decorator).startswith("dataclass_transform(")
    if isinstance(node, cst.If):
        head = module.code_for_node(node.with_changes(leading_lines=[])).partition("\n")[0]
        return any(each.search(head) for each in _elsewhere())
    if isinstance(node, cst.AnnAssign):
        return "TypeAlias" in module.code_for_node(node.annotation.annotation)
    if isinstance(node, cst.Assign):
        return module.code_for_node(node.value).startswith(_TYPING)
    # A string that is a statement is documentation.
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)


def _elsewhere() -> list[re.Pattern[str]]:
    if not _ELSEWHERE:
        root = Path(__file__).resolve().parents[2]
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        patterns = project["tool"]["coverage"]["report"]["exclude_also"]
        _ELSEWHERE.extend(map(re.compile, [*patterns, "if TYPE_CHECKING:"]))
    return _ELSEWHERE


_ELSEWHERE: Final[list[re.Pattern[str]]] = []
