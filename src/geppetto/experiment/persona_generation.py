"""Writing what personas are made of: each request once, kept the moment it is written."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING

from geppetto._util.errors import GeppettoError, causes
from geppetto._util.reasoning import split
from geppetto.answers.client import STOPPING, clients
from geppetto.answers.completions import CompletionStore
from geppetto.answers.generated_texts import GeneratedTextStore, Generator
from geppetto.models.base import Model
from geppetto.models.budget import BudgetReached, BudgetTracker
from geppetto.models.endpoint.litellm_provider import (
    PROVIDER,
    NoCompletionError,
    drawing_for,
    serving,
)
from geppetto.models.gate import RequestGate
from geppetto.models.requests import Completion
from geppetto.personas.compiled import CompiledProgram
from geppetto.personas.generated import GeneratedStrategy, GeneratedText, GenerationRequest

if TYPE_CHECKING:
    import dspy

AT_ONCE = 8
"""Requests that are being written at the same time."""


def write(
    generations: Sequence[GenerationRequest],
    models: Mapping[str, Model],
    store: GeneratedTextStore,
    completions: CompletionStore,
    tracker: BudgetTracker,
    on_written: Callable[[GenerationRequest], None] = lambda *_: None,
) -> None:
    """Have models write what is not written yet.

    A text that fails its check, is cut off, filtered or not in the form that was asked for is an
    outcome: it is stored with the reason and never tried again. A request that got no reply is
    none: what it was for stays unwritten, and everything else is written before this says so,
    unless so many fail in a row that the model is taken to be down.

    Every reply is stored before anything follows from it, as one to its request alone. So a
    request that was interrupted goes on from there, and one that two processes have is asked
    for by one of them.

    Parameters
    ----------
    generations
        What to write.
    models
        The models by the name that strategies give their `writer`; none of them may be at work in
        an event loop.
    store
        Where writings are kept.
    completions
        Where the replies are that they are made of.
    tracker
        What the run has spent so far, and may.
    on_written
        Called with each request once what became of it is stored.

    Raises
    ------
    BudgetReached
        If the budget is; what was under way is stored, so that a next run goes on from here.
    GeppettoError
        If a model cannot be told what to write, or does not let itself be asked, or requests got
        no reply.
    KeyboardInterrupt
        If it is interrupted: the first time once the replies under way are stored, the second at
        once.
    """
    for name, model in models.items():
        if model.identity.kind == "base":
            raise GeppettoError(
                f"{name} continues plain text and follows no instruction; let a chat model write"
            )
    programs = {each.strategy.made_of: each.strategy for each in generations}
    modules = {made_of: program(strategy) for made_of, strategy in programs.items()}
    left = [each for each in generations if store.find(each.id) is None]
    silent: list[Completion] = []
    ended: BudgetReached | None = None
    gate = RequestGate(tracker)
    with clients(models, completions, gate, keeps_errors=False) as asking:
        asked = {name: client.completion for name, client in asking.items()}
        with serving(asked) as service, ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {
                pool.submit(_write, each, modules[each.strategy.made_of], models, store): each
                for each in left
            }
            try:
                for future in as_completed(futures):
                    try:
                        future.result()
                    except NoCompletionError as error:
                        silent.append(error.completion)
                        continue
                    on_written(futures[future])
            except BudgetReached as reached:
                ended = reached
            except KeyboardInterrupt:
                print(STOPPING, file=sys.stderr)
                raise
            finally:
                service.loop.call_soon_threadsafe(
                    gate.end, GeppettoError("the writing was stopped")
                )
                pool.shutdown(wait=False, cancel_futures=True)
    if ended:
        written = sum(store.find(each.id) is not None for each in left)
        raise BudgetReached(
            f"{ended}: {written:,} of {len(left):,} texts are written; run it again with a larger "
            "budget to go on from here"
        )
    if silent:
        raise GeppettoError(_silence(silent, len(left)))


def refuse_without_dspy() -> None:
    """Refuse to have anything written where DSPy is not installed.

    Raises
    ------
    GeppettoError
        If it is not.
    """
    try:
        import dspy  # noqa: F401  only whether it is there
    except ModuleNotFoundError as error:
        raise GeppettoError(
            "personas that a model writes need DSPy; install it with: pip install 'geppetto[dspy]'"
        ) from error


def program(strategy: GeneratedStrategy) -> dspy.Module:
    """All modules of a strategy as one, with the state of its compiled program if it has one.

    It is called with what each module is told, by the module's name, and gives their `texts`.

    Raises
    ------
    GeppettoError
        If the compiled program is one of another strategy.
    """
    refuse_without_dspy()
    import dspy

    class Program(dspy.Module):  # type: ignore[misc]  # DSPy is not typed
        def __init__(self) -> None:
            super().__init__()
            self.modules = strategy.modules()

        def forward(self, facts: Mapping[str, Mapping[str, object]]) -> dspy.Prediction:
            written = {name: _called(self.modules[name], each) for name, each in facts.items()}
            failed = next((why for _, why in written.values() if why), "")
            texts = {name: texts for name, (texts, _) in written.items()}
            return dspy.Prediction(texts=texts, failed=failed)

    made = Program()
    if strategy.compiled is not None:
        expected = {name: len(each.signature.fields) for name, each in made.named_predictors()}
        states = CompiledProgram.model_validate_json(strategy.compiled).states
        found = {name: len(state["signature"]["fields"]) for name, state in states.items()}
        if found != expected:
            wanted = ", ".join(f"{name} ({n} fields)" for name, n in sorted(expected.items()))
            raise GeppettoError(
                f"program: {strategy.program} is not one of {type(strategy).__name__}, which has "
                f"{wanted}; name another file"
            )
        made.load_state(states)
    return made


@contextmanager
def writer_of(strategy: GeneratedStrategy) -> Iterator[None]:
    """Let a strategy's modules ask its writer, which `serving` serves, as the strategy says.

    Nothing is cached, and a reply that is not in the form asked for is not asked for in another.
    """
    import dspy

    from geppetto.models.endpoint.dspy_adapter import WholeCompletion

    model = dspy.LM(
        f"{PROVIDER}/{strategy.writer}",
        engine="litellm",
        temperature=strategy.temperature,
        max_tokens=strategy.longest,
        cache=False,
        num_retries=0,
    )
    with dspy.context(lm=model, adapter=WholeCompletion(), disable_history=True):
        yield


def _write(
    generation: GenerationRequest,
    module: dspy.Module,
    models: Mapping[str, Model],
    store: GeneratedTextStore,
) -> None:
    """Have one thing written, which is stored before anything else can go wrong."""
    strategy = generation.strategy
    part = module.modules[generation.module]
    with writer_of(strategy), drawing_for(generation.id) as draws:
        texts, failed = _called(part, generation.arguments)
    generated = _generated(texts, failed, draws.completions)
    inputs = hashlib.sha256(generation.inputs.encode()).hexdigest()
    store.put(generation.id, inputs, _generator(part, strategy, models), generated)


def _called(part: dspy.Module, inputs: Mapping[str, object]) -> tuple[tuple[str, ...], str]:
    """What a module wrote, and why that cannot be used."""
    from dspy.utils.exceptions import AdapterParseError, LMError

    try:
        written = part(**inputs)
    except AdapterParseError:
        return (), "of whom nothing was written in the form that was asked for"
    except LMError as error:
        raise _cause(error) from error
    return tuple(written.texts), written.get("failed", "")


def _cause(error: BaseException) -> BaseException:
    """What a model raised, beneath what LiteLLM and DSPy made of it."""
    ours = (each for each in causes(error) if isinstance(each, GeppettoError | NoCompletionError))
    return next(ours, error)


def _generated(
    texts: tuple[str, ...], failed: str, completions: Sequence[Completion]
) -> GeneratedText:
    cut = [completion for completion in completions if completion.finish == "length"]
    if any(completion.finish == "filter" for completion in completions):
        failed = "of whom the writer's provider filtered what was written"
    elif any(not split(completion.text)[1].strip() for completion in cut):
        failed = "of whom nothing was written: the limit ended the writer's thinking (longest)"
    elif cut:
        failed = "of whom what was written was cut off (longest)"
    costs = [completion.cost for completion in completions]
    return GeneratedText(
        texts=texts,
        failed=failed,
        prompt_tokens=sum(completion.prompt_tokens for completion in completions),
        completion_tokens=sum(completion.completion_tokens for completion in completions),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(completion.seconds or 0.0 for completion in completions),
        requests=len(completions),
    )


def _silence(silent: Sequence[Completion], wanted: int) -> str:
    """What to do about texts that got no reply."""
    hopeless = [completion for completion in silent if completion.hopeless]
    if not hopeless:
        return (
            f"{len(silent):,} of {wanted:,} texts got no reply ({silent[0].error}); the others are "
            "stored, so run it again to have only these written"
        )
    return (
        f"{len(hopeless):,} of {wanted:,} texts cannot be written like this ({hopeless[0].error}); "
        "let the strategy tell its writer less (traits, answers), shorten `longest`, or name "
        "another writer; the others are stored"
    )


def _generator(
    part: dspy.Module, strategy: GeneratedStrategy, models: Mapping[str, Model]
) -> Generator:
    state = part.dump_state()
    demos = [predictor.demos for predictor in part.predictors()]
    return Generator(
        strategy=type(strategy).__name__,
        writer=strategy.writer,
        identity=models[strategy.writer].identity.of_completions,
        module=type(part).__name__,
        state=json.dumps(state, sort_keys=True),
        demos=hashlib.sha256(json.dumps(demos, sort_keys=True, default=dict).encode()).hexdigest(),
        temperature=strategy.temperature,
        longest=strategy.longest,
    )
