"""Asking a model by requests: all at once, nothing asked twice, all stored that is said."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

from geppetto._util.errors import GeppettoError
from geppetto._util.event_loop import run
from geppetto.answers.completions import CompletionClaims, CompletionStore
from geppetto.answers.store import UNTIL_LOOKING_AGAIN
from geppetto.elicitation.base import Elicitation, Question
from geppetto.models.base import Model
from geppetto.models.budget import BudgetTracker, unmeasured
from geppetto.models.endpoint.concurrency import MOST_AT_ONCE
from geppetto.models.gate import RequestGate
from geppetto.models.requests import Completion, Request

FAILURES_IN_A_ROW = 20
"""Requests that may fail for good one after the other: then the model is taken to be down."""

UNMEASURED = 5
"""Completions that may come before one says what it took, if there is a budget: then none will."""

STOPPING = "stopping: replies under way are waited for and stored; interrupt again to drop them"
"""What is said after the first interrupt."""

_OPEN = 4
"""Questions, and requests, that are open at once for each request that may be under way, wherever
they are: enough that storing replies never keeps requests back, and few enough to need little
memory."""


class Client:
    """Asks a model each request once, and stores what it says before anything follows from it.

    What is stored is not asked, equal requests are asked once, and those that another process is
    asking are left to it. It works in one event loop.

    Parameters
    ----------
    model
        Who is asked what is not stored.
    claims
        Where completions are stored, and who asks for which.
    gate
        To ask.
    thread
        In which the store is read and written; several clients may share it.
    keeps_errors
        Whether a request that failed for good is stored, so that it is not asked again. Until
        something shows that the model is up none is: an outage, however it ends, is nobody's
        answer. That a request can never go well is what a model says that is up.
    """

    def __init__(
        self,
        model: Model,
        claims: CompletionClaims,
        gate: RequestGate,
        thread: ThreadPoolExecutor,
        keeps_errors: bool,
    ) -> None:
        self.model = model
        self.gate = gate
        self.open = _OPEN * max(model.most_at_once, MOST_AT_ONCE)
        self._keeps_errors = keeps_errors
        self._places = asyncio.Semaphore(model.most_at_once)
        self._room = asyncio.Semaphore(self.open)
        self._sought: dict[str, asyncio.Task[Completion | None]] = {}
        self._take = _Grouped[None, Completion | bool](lambda group: _taken(claims, group), thread)
        self._put = _Grouped[Completion, Completion](
            lambda group: claims.put(model.identity.name, group), thread
        )
        self._failed: dict[str, Completion] = {}
        self._unmeasured: int | None = 0  # None once a completion has said what it took

    async def completion(self, request: Request) -> Completion:
        """The completion of a request, which must say for whom it is drawn.

        Raises
        ------
        GeppettoError
            If it does not say so.
        Exception
            That ended the gate.
        """
        if not request.drawn_for:
            raise GeppettoError(
                f"{self.model.identity.name} was asked from a thread that a module began; let "
                "modules ask one thing after the other, so that what they write can be written "
                "again"
            )
        completion = await (await self.seek(request))
        if completion is None:
            assert self.gate.ended is not None
            raise self.gate.ended
        return completion

    async def seek(self, request: Request) -> asyncio.Task[Completion | None]:
        """What seeks the completion of a request, once there is room; None if the gate ends."""
        key = request.id(self.model.identity)
        await self._room.acquire()
        if key in self._sought:
            self._room.release()
        else:
            self._sought[key] = asyncio.create_task(self._seek(key, request))
            self._sought[key].add_done_callback(lambda _: self._found(key))
        return self._sought[key]

    async def store_failures(self) -> None:
        """Store the errors that were kept back so far, since the model is up."""
        await self._store({})

    async def _store(self, completions: Mapping[str, Completion]) -> list[Completion]:
        """Store completions, and in the same commit the errors that were kept back so far."""
        failed, self._failed = self._failed, {}
        kept = failed if self._keeps_errors else {}
        return await asyncio.gather(*(self._put(*each) for each in {**completions, **kept}.items()))

    def _found(self, key: str) -> None:
        del self._sought[key]
        self._room.release()

    async def _seek(self, key: str, request: Request) -> Completion | None:
        if key in self._failed:
            return self._failed[key]
        try:
            while not (found := await self._take(key, None)):
                if self.gate.ended:
                    return None
                await asyncio.sleep(UNTIL_LOOKING_AGAIN)
            if isinstance(found, Completion):
                return found
            async with self._places:
                completion = await self.model.generate(request, self.gate)
                self._count(key, completion)
            if completion.error and not (completion.hopeless and self._keeps_errors):
                return completion
            return (await self._store({key: completion}))[0]
        except Exception as error:
            self.gate.end(error)
            return None

    def _count(self, key: str, completion: Completion) -> None:
        name = self.model.identity.name
        if completion.error:
            if not completion.hopeless:
                self._failed[key] = completion
        elif not (why := unmeasured(completion, self.gate.tracker.budget, name)):
            self._unmeasured = None
        elif self._unmeasured is not None:
            self._unmeasured += 1
            if self._unmeasured >= UNMEASURED:
                self.gate.end(GeppettoError(why))
        if len(self._failed) >= FAILURES_IN_A_ROW:
            self.gate.end(
                GeppettoError(
                    f"{name} failed {FAILURES_IN_A_ROW} times in a row, at last with: "
                    f"{completion.error}; what it answered before is stored: see what is wrong, "
                    "then run it again"
                )
            )


@contextmanager
def clients(
    models: Mapping[str, Model], store: CompletionStore, gate: RequestGate, keeps_errors: bool
) -> Iterator[dict[str, Client]]:
    """A client of each model, under its name; what they claim is theirs while in this context."""
    with store.claiming() as claims, ThreadPoolExecutor(1) as thread:
        yield {
            name: Client(model, claims, gate, thread, keeps_errors)
            for name, model in models.items()
        }


def converse(
    model: Model,
    elicitation: Elicitation,
    questions: Mapping[str, Question],
    store: CompletionStore,
    tracker: BudgetTracker,
    on_answer: Callable[[str], None],
) -> None:
    """Ask a model all that an elicitation wants to ask about some questions.

    Parameters
    ----------
    questions
        By whatever the caller knows them by.
    tracker
        What the run has spent so far; that of one run is shared by all its conversations.
    on_answer
        Called with each question's name once all its completions are stored.

    Raises
    ------
    BudgetReached
        If the budget is; what was under way is stored, so that a next run goes on from here.
    GeppettoError
        If no request can succeed, or too many fail in a row; what was told until then is stored.
    Exception
        That is a fault of this program or of LiteLLM; what was told until then is stored too.
    KeyboardInterrupt
        If it is interrupted: the first time once what is under way is stored, the second at once.
    """
    name = model.identity.name
    if tracker.budget.dollars and not model.capabilities.priced:
        raise GeppettoError(
            f"the price of {name} is not known, so that a budget in dollars "
            "cannot be kept; give its input_cost_per_token and output_cost_per_token among its "
            "parameters, or a budget in tokens"
        )
    gate = RequestGate(tracker)
    with clients({name: model}, store, gate, keeps_errors=True) as asking:
        run(_Conversation(asking[name], elicitation).about(questions, on_answer))
    if gate.ended:
        raise gate.ended


class _Conversation:
    """One model, one elicitation, one event loop."""

    def __init__(self, client: Client, elicitation: Elicitation) -> None:
        self._client = client
        self._gate = client.gate
        self._elicitation = elicitation

    async def about(
        self, questions: Mapping[str, Question], on_answer: Callable[[str], None]
    ) -> None:
        """Work through the questions; the first interrupt lets what is under way be stored."""
        work = asyncio.create_task(self._through(questions, on_answer))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self._gate.end(GeppettoError("it was interrupted"))
            print(STOPPING, file=sys.stderr)
            await work
            raise

    async def _through(
        self, questions: Mapping[str, Question], on_answer: Callable[[str], None]
    ) -> None:
        """Work through the questions, some of them at a time."""
        left = iter(questions.items())
        async with self._client.model.connected(), asyncio.TaskGroup() as group:
            for _ in range(min(self._client.open, len(questions))):
                group.create_task(self._work(left, on_answer))
        if not self._gate.ended:
            await self._client.store_failures()

    async def _work(
        self, left: Iterator[tuple[str, Question]], on_answer: Callable[[str], None]
    ) -> None:
        for name, question in left:
            if self._gate.ended:
                return
            try:
                is_answered = await self._ask(question)
            except Exception as error:
                self._gate.end(error)
                return
            if is_answered:
                on_answer(name)

    async def _ask(self, question: Question) -> bool:
        """Ask all about a question; whether that could be done."""
        completions: list[Completion] = []
        while requests := self._elicitation.requests(question, completions):
            sought = [await self._client.seek(request) for request in requests]
            for completion in await asyncio.gather(*sought):
                if completion is None:
                    return False
                completions.append(completion)
        return True


_GATHERING = 0.02
"""Seconds in which a group gathers: a commit costs as much for many replies as for one."""

Task = TypeVar("Task")
Found = TypeVar("Found")


class _Grouped(Generic[Task, Found]):
    """Work that is asked for one by one and done in groups.

    While a group is worked on in a thread the next one gathers.
    """

    def __init__(
        self, do: Callable[[dict[str, Task]], Mapping[str, Found]], thread: ThreadPoolExecutor
    ) -> None:
        self._do = do
        self._thread = thread
        self._gathered: dict[str, tuple[Task, asyncio.Future[Found]]] = {}
        self._working: asyncio.Task[None] | None = None

    async def __call__(self, key: str, task: Task) -> Found:
        found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._gathered[key] = task, found
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await found

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._gathered:
            await asyncio.sleep(_GATHERING)
            group, self._gathered = self._gathered, {}
            task = {key: task for key, (task, _) in group.items()}
            try:
                done = await loop.run_in_executor(self._thread, self._do, task)
            except Exception as error:
                for _, found in group.values():
                    if not found.done():
                        found.set_exception(error)
            else:
                for key, (_, found) in group.items():
                    if not found.done():
                        found.set_result(done[key])
        self._working = None


def _taken(claims: CompletionClaims, requests: Iterable[str]) -> dict[str, Completion | bool]:
    """Each request's reply, or whether it is this process's to ask now."""
    stored, mine = claims.take(set(requests))
    return {request: stored.get(request, request in mine) for request in requests}
