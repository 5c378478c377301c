"""Templates that come with a model's file are somebody else's programs: they end, and soon."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from jinja2 import Environment, TemplateRuntimeError, TemplateSyntaxError, nodes, pass_environment
from jinja2.sandbox import ImmutableSandboxedEnvironment

ROUNDS = 1_000_000
"""Rounds of all loops of a template together, since it was compiled or rendered last."""

LETTERS = 10_000_000
"""Letters of a text that a template makes by repeating one."""

_WRONG = (
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    NameError,
    AssertionError,
    RecursionError,
    MemoryError,
)

_COUNTED = "geppetto_counted"


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, in which loops and repeated texts are bounded.

    Examples
    --------
    >>> template = BoundedEnvironment().from_string("{% for x in 'ab' %}{{ x }}{% endfor %}")
    >>> template.render()
    'ab'
    """

    intercepted_binops = frozenset(("*", "**"))

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.rounds = 0
        self.filters[_COUNTED] = _counted

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno)
        for macro in tree.find_all(nodes.Macro):
            _count_calls(macro)
        for block in tree.find_all(nodes.CallBlock):
            _count_calls(block)
        return tree

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """A product or a power, unless it would be without measure."""
        sizes = [len(each) if hasattr(each, "__len__") else abs(each) for each in (left, right)]
        if operator == "*" and sizes[0] * sizes[1] > LETTERS and _has_length(left, right):
            raise TemplateRuntimeError(f"it repeats a text to more than {LETTERS:,} letters")
        if operator == "**" and (sizes[0] > LETTERS or sizes[1] > 64):
            raise TemplateRuntimeError("it computes a number without measure")
        return super().call_binop(context, operator, left, right)

    def compile(self, *arguments: Any, **settings: Any) -> Any:
        """The program of a template; whatever hinders it is an error of the template."""
        try:
            return super().compile(*arguments, **settings)
        except (*_WRONG, SyntaxError) as error:
            raise TemplateSyntaxError(f"it cannot be read ({error})", 1) from error

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Raise what went wrong, which is an error of the template whatever it is."""
        error = sys.exception()
        if isinstance(error, RecursionError | OverflowError | MemoryError):
            raise TemplateRuntimeError(f"it goes on without measure ({error})") from error
        if isinstance(error, _WRONG):
            raise TemplateRuntimeError(f"{type(error).__name__}: {error}") from error
        super().handle_exception(source)

    def begin(self) -> None:
        """Count anew."""
        self.rounds = 0


def _has_length(*values: Any) -> bool:
    return any(hasattr(value, "__len__") for value in values)


def _count_calls(macro: nodes.Macro | nodes.CallBlock) -> None:
    """Let each call count as a round of a loop, so that what calls itself ends."""
    line = macro.lineno
    once: nodes.Expr = nodes.Const((0,), lineno=line)
    once = nodes.Filter(once, _COUNTED, [], [], None, None, lineno=line)
    loop = nodes.For(nodes.Name("_", "store"), once, [], [], None, False, lineno=line)
    macro.body.insert(0, loop)


@pass_environment
def _counted(environment: Environment, values: Iterable[Any]) -> Iterator[Any]:
    """The values of a loop, counted as they are gone through."""
    assert isinstance(environment, BoundedEnvironment)
    for value in values:
        environment.rounds += 1
        if environment.rounds > ROUNDS:
            raise TemplateRuntimeError(f"it goes on for more than {ROUNDS:,} rounds")
        yield value
