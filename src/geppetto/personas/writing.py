"""Writing what personas are made of: each commission once, kept the moment it is written."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING

from geppetto.answers.replies import ReplyStore
from geppetto.answers.writings import Generator, Writing, WritingStore
from geppetto.conversation import FAILURES_IN_A_ROW, STOPPING
from geppetto.errors import GeppettoError
from geppetto.models.litellm_local import PROVIDER, SpeechError, drawing_for, serving
from geppetto.models.speaker import Reply, Speaker
from geppetto.personas.written import Commission, WrittenStrategy
from geppetto.remembering import RememberingSpeaker
from geppetto.sending import Leave
from geppetto.spending import BudgetReached, Spending

if TYPE_CHECKING:
    import dspy

AT_ONCE = 8
"""Commissions that are being written at the same time."""


def write(
    commissions: Sequence[Commission],
    speakers: Mapping[str, Speaker],
    store: WritingStore,
    replies: ReplyStore,
    spending: Spending,
    on_written: Callable[[Commission], None] = lambda *_: None,
) -> None:
    """Have models write what is not written yet.

    A text that fails its check, is cut off, filtered or not in the form that was asked for is an
    outcome: it is stored with the reason and never tried again. A request that got no reply is
    none: what it was for stays unwritten, and everything else is written before this says so,
    unless so many fail in a row that the model is taken to be down.

    Every reply is stored before anything follows from it, as one to its commission alone. So a
    commission that was interrupted goes on from there, and one that two processes have is asked
    for by one of them.

    Parameters
    ----------
    commissions
        What to write.
    speakers
        The models by the name that strategies give their `writer`; none of them may be at work in
        an event loop.
    store
        Where writings are kept.
    replies
        Where the replies are that they are made of.
    spending
        What the run has spent so far, and may.
    on_written
        Called with each commission once what became of it is stored.

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
    for name, speaker in speakers.items():
        if speaker.identity.kind == "base":
            raise GeppettoError(
                f"{name} continues plain text and follows no instruction; let a chat model write"
            )
    programs = {each.strategy.made_of: each.strategy for each in commissions}
    modules = {made_of: program(strategy) for made_of, strategy in programs.items()}
    left = [each for each in commissions if store.find(each.id) is None]
    silent: list[Reply] = []
    in_a_row = 0
    ended: BudgetReached | None = None
    leave = Leave(spending)
    with replies.claiming() as claims:
        remembering = {
            name: RememberingSpeaker(speaker, claims, leave) for name, speaker in speakers.items()
        }
        with serving(remembering) as service, ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {
                pool.submit(_write, each, modules[each.strategy.made_of], speakers, store): each
                for each in left
            }
            try:
                for future in as_completed(futures):
                    try:
                        future.result()
                    except SpeechError as error:
                        silent.append(error.reply)
                        in_a_row += not error.reply.hopeless
                        if in_a_row >= FAILURES_IN_A_ROW:
                            break
                        continue
                    in_a_row = 0
                    on_written(futures[future])
            except BudgetReached as reached:
                ended = reached
            except KeyboardInterrupt:
                print(STOPPING, file=sys.stderr)
                raise
            finally:
                service.loop.call_soon_threadsafe(
                    leave.end, GeppettoError("the writing was stopped")
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


def program(strategy: WrittenStrategy) -> dspy.Module:
    """All modules of a strategy as one, with the state of its compiled program if it has one.

    It is called with what each module is told, by the module's name, and gives their `texts`.

    Raises
    ------
    GeppettoError
        If the compiled program is one of another strategy.
    """
    import dspy

    class Program(dspy.Module):  # type: ignore[misc]  # DSPy is not typed
        def __init__(self) -> None:
            super().__init__()
            self.modules = strategy.modules()

        def forward(self, told: Mapping[str, Mapping[str, object]]) -> dspy.Prediction:
            written = {name: _called(self.modules[name], inputs) for name, inputs in told.items()}
            failed = next((why for _, why in written.values() if why), "")
            texts = {name: texts for name, (texts, _) in written.items()}
            return dspy.Prediction(texts=texts, failed=failed)

    made = Program()
    if strategy.compiled is not None:
        names = {name for name, _ in made.named_parameters()}
        state = json.loads(strategy.compiled)
        if state.keys() - {"metadata"} != names:
            raise GeppettoError(
                f"program: {strategy.program} is not one of {type(strategy).__name__}, which has "
                f"{', '.join(sorted(names))}; name another file"
            )
        made.load_state(state)
    return made


@contextmanager
def writer_of(strategy: WrittenStrategy) -> Iterator[None]:
    """Let a strategy's modules ask its writer, which `serving` serves, as the strategy says.

    Nothing is cached, and a reply that is not in the form asked for is not asked for in another.
    """
    import dspy

    from geppetto.personas.whole_reply import WholeReply

    model = dspy.LM(
        f"{PROVIDER}/{strategy.writer}",
        engine="litellm",
        temperature=strategy.temperature,
        max_tokens=strategy.longest,
        cache=False,
        num_retries=0,
    )
    with dspy.context(lm=model, adapter=WholeReply(), disable_history=True):
        yield


def _write(
    commission: Commission,
    module: dspy.Module,
    speakers: Mapping[str, Speaker],
    store: WritingStore,
) -> None:
    """Have one thing written, which is stored before anything else can go wrong."""
    strategy = commission.strategy
    part = module.modules[commission.module]
    with writer_of(strategy), drawing_for(commission.id) as draws:
        texts, failed = _called(part, commission.inputs)
    writing = _writing(texts, failed, draws.replies)
    inputs = hashlib.sha256(commission.told.encode()).hexdigest()
    store.put(commission.id, inputs, _generator(part, strategy, speakers), writing)


def _called(part: dspy.Module, told: Mapping[str, object]) -> tuple[tuple[str, ...], str]:
    """What a module wrote, and why that cannot be used."""
    from dspy.utils.exceptions import AdapterParseError, LMError

    try:
        written = part(**told)
    except AdapterParseError:
        return (), "of whom nothing was written in the form that was asked for"
    except LMError as error:
        raise _cause(error) from error
    return tuple(written.texts), written.get("failed", "")


def _cause(error: BaseException) -> BaseException:
    """What a speaker raised, beneath what LiteLLM and DSPy made of it."""
    beneath: BaseException | None = error
    while beneath is not None:
        if isinstance(beneath, GeppettoError | SpeechError):
            return beneath
        beneath = beneath.__cause__ or beneath.__context__
    return error


def _writing(texts: tuple[str, ...], failed: str, replies: Sequence[Reply]) -> Writing:
    finishes = {reply.finish for reply in replies}
    if "filter" in finishes:
        failed = "of whom the writer's provider filtered what was written"
    elif "length" in finishes:
        failed = "of whom what was written was cut off (longest)"
    costs = [reply.cost for reply in replies]
    return Writing(
        texts=texts,
        failed=failed,
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        completion_tokens=sum(reply.completion_tokens for reply in replies),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(reply.seconds or 0.0 for reply in replies),
        requests=len(replies),
    )


def _silence(silent: Sequence[Reply], asked: int) -> str:
    """What to do about texts that got no reply."""
    hopeless = [reply for reply in silent if reply.hopeless]
    if not hopeless:
        return (
            f"{len(silent):,} of {asked:,} texts got no reply ({silent[0].error}); the others are "
            "stored, so run it again to have only these written"
        )
    return (
        f"{len(hopeless):,} of {asked:,} texts cannot be written like this ({hopeless[0].error}); "
        "let the strategy tell its writer less (traits, answers), shorten `longest`, or name "
        "another writer; the others are stored"
    )


def _generator(
    part: dspy.Module, strategy: WrittenStrategy, speakers: Mapping[str, Speaker]
) -> Generator:
    state = part.dump_state()
    demos = [predictor.demos for predictor in part.predictors()]
    return Generator(
        strategy=type(strategy).__name__,
        writer=strategy.writer,
        identity=speakers[strategy.writer].identity,
        module=type(part).__name__,
        state=json.dumps(state, sort_keys=True),
        demos=hashlib.sha256(json.dumps(demos, sort_keys=True, default=dict).encode()).hexdigest(),
        temperature=strategy.temperature,
        longest=strategy.longest,
    )
