"""Writing what personas are made of: each commission once, kept the moment it is written."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from geppetto.answers.writings import Generator, Writing, WritingStore
from geppetto.errors import GeppettoError
from geppetto.models.litellm_local import PROVIDER, SpeechError, heard, serving
from geppetto.models.speaker import Reply, Speaker
from geppetto.personas.written import Commission, NotWrittenError, WrittenStrategy

if TYPE_CHECKING:
    import dspy

Made = TypeVar("Made")

AT_ONCE = 8
"""Commissions that are being written at the same time."""


def having_written(
    prepare: Callable[[], Made],
    open_speaker: Callable[[str], Speaker],
    store: WritingStore,
    on_written: Callable[[Commission, Writing], None] = lambda *_: None,
) -> Made:
    """What `prepare` gives once nothing is left to be written for it.

    What the average of people is, for one, is known only when it is known of whom a text could be
    written: so it may take several rounds, each of which writes all that is missing so far.

    Parameters
    ----------
    prepare
        Makes a plan, or raises `NotWrittenError`.
    open_speaker
        Gives the model that a strategy names as its `writer`.
    store, on_written
        As of `write`.

    Raises
    ------
    GeppettoError
        As `prepare` or `write`.
    """
    while True:
        try:
            return prepare()
        except NotWrittenError as missing:
            names = dict.fromkeys(each.strategy.writer for each in missing.commissions)
            speakers = {name: open_speaker(name) for name in names}
            write(missing.commissions, speakers, store, on_written)


def write(
    commissions: Sequence[Commission],
    speakers: Mapping[str, Speaker],
    store: WritingStore,
    on_written: Callable[[Commission, Writing], None] = lambda *_: None,
) -> None:
    """Have models write what is not written yet.

    A text that fails its check, is cut off, filtered or not in the form that was asked for is an
    outcome: it is stored with the reason and never tried again. A request that got no reply is
    none: what it was for stays unwritten, and everything else is written before this says so.

    Parameters
    ----------
    commissions
        What to write.
    speakers
        The models by the name that strategies give their `writer`; none of them may be at work in
        an event loop.
    store
        Where writings are kept.
    on_written
        Called with each commission and what became of it, once that is stored.

    Raises
    ------
    GeppettoError
        If a model cannot be told what to write, or does not let itself be asked, or requests got
        no reply.
    """
    for name, speaker in speakers.items():
        if speaker.identity.kind == "base":
            raise GeppettoError(
                f"{name} continues plain text and follows no instruction; let a chat model write"
            )
    programs = {each.strategy.made_of: each.strategy for each in commissions}
    modules = {made_of: program(strategy) for made_of, strategy in programs.items()}
    silent: Counter[str] = Counter()
    with serving(speakers), ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {
            pool.submit(_write, each, modules[each.strategy.made_of], speakers, store): each
            for each in commissions
            if store.find(each.id) is None
        }
        try:
            for future in as_completed(futures):
                commission = futures[future]
                try:
                    writing = future.result()
                except SpeechError as error:
                    silent[str(error)] += 1
                    continue
                on_written(commission, writing)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    if silent:
        reason, _ = silent.most_common(1)[0]
        raise GeppettoError(
            f"{silent.total():,} of {len(commissions):,} texts got no reply ({reason}); the "
            "others are stored, so run it again to have only these written"
        )


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

    model = dspy.LM(
        f"{PROVIDER}/{strategy.writer}",
        engine="litellm",
        temperature=strategy.temperature,
        max_tokens=strategy.longest,
        cache=False,
        num_retries=0,
    )
    adapter = dspy.ChatAdapter(use_json_adapter_fallback=False)
    with dspy.context(lm=model, adapter=adapter, disable_history=True):
        yield


def _write(
    commission: Commission,
    module: dspy.Module,
    speakers: Mapping[str, Speaker],
    store: WritingStore,
) -> Writing:
    """Have one thing written, which is stored before anything else can go wrong."""
    strategy = commission.strategy
    part = module.modules[commission.module]
    with writer_of(strategy), heard() as replies:
        texts, failed = _called(part, commission.inputs)
    writing = _writing(texts, failed, replies)
    inputs = hashlib.sha256(commission.told.encode()).hexdigest()
    store.put(commission.id, inputs, _generator(part, strategy, speakers), writing)
    return writing


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
        seconds=sum(reply.seconds for reply in replies),
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
