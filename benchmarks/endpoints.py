"""What geppetto adds to bare LiteLLM: requests a second against a server that answers at once.

Bare LiteLLM and geppetto ask the same number of questions in turns, round after round, in one
process, at the same number of requests at once; ratios are medians over rounds. With --memory
NUMBER the memory of the process while it asks so many questions.
Run: python benchmarks/endpoints.py
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from geppetto.models.endpoint.litellm_setup import connections, library
from scripted import Rounds, endpoint, questions, request

AT_ONCE = 64
SERVER = Path(__file__).parents[1] / "tests" / "helpers" / "fault_server.py"


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The scripted server without faults, in a process of its own; gives its address."""
    process = subprocess.Popen([sys.executable, SERVER, folder])
    try:
        while not (folder / "port").exists():
            time.sleep(0.05)
        yield f"http://127.0.0.1:{(folder / 'port').read_text()}/v1"
    finally:
        process.kill()
        process.wait()


def bare(base: str, model: str, number: int, first: int) -> float:
    """Requests a second of LiteLLM alone."""
    bodies = iter([request(question) for question in questions(number, first).values()])

    async def work() -> None:
        litellm: Any = library()
        for body in bodies:
            await litellm.acompletion(
                model=model,
                api_base=base,
                messages=[turn.model_dump() for turn in body.turns],
                max_tokens=body.max_tokens,
                temperature=0,
                logprobs=True,
                top_logprobs=body.top_logprobs,
            )

    async def everything() -> None:
        async with connections():
            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    began = time.perf_counter()
    asyncio.run(everything())
    return number / (time.perf_counter() - began)


def ours(text_model: Any, number: int, first: int, store: CompletionStore) -> float:
    """Requests a second of a conversation whose every reply is stored."""
    asked = questions(number, first)
    began = time.perf_counter()
    converse(text_model, Rounds(), asked, store, BudgetTracker(), lambda _: None)
    return number / (time.perf_counter() - began)


def resident() -> float:
    """MiB of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> None:
    """Print the rates and their ratio, or the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--provider", default="hosted_vllm")
    parser.add_argument("--memory", type=int, default=0)
    given = parser.parse_args()
    with TemporaryDirectory() as folder, server(Path(folder)) as base:
        store = CompletionStore.at(Path(folder) / "answers.db")
        model = f"{given.provider}/scripted"
        text_model = endpoint(base, model=model, most_at_once=AT_ONCE)
        bare(base, model, 200, 10**8)
        ours(text_model, 200, 2 * 10**8, store)
        if given.memory:
            number = given.memory // 10
            for part in range(10):
                rate = ours(text_model, number, part * number, store)
                print(
                    f"{number * (part + 1):7,} requests  {resident():6.0f} MiB  {rate:4.0f}/s",
                    flush=True,
                )
            return
        rates: dict[str, list[float]] = {"bare LiteLLM": [], "geppetto": []}
        work: dict[str, list[float]] = {"bare LiteLLM": [], "geppetto": []}
        number = given.requests
        for part in range(given.rounds):
            began = time.process_time()
            rates["bare LiteLLM"].append(bare(base, model, number, part * number))
            between = time.process_time()
            rates["geppetto"].append(ours(text_model, number, part * number, store))
            work["bare LiteLLM"].append(1000 * (between - began) / number)
            work["geppetto"].append(1000 * (time.process_time() - between) / number)
        for name, found in rates.items():
            spread = f"({min(found):.0f} to {max(found):.0f})"
            print(
                f"{name:13} {median(found):6.0f}/s {spread:14} {median(work[name]):.2f} ms of CPU"
            )
        of_rates, of_work = (
            median(one / other for one, other in zip(ones, others, strict=True))
            for ones, others in (
                (rates["geppetto"], rates["bare LiteLLM"]),
                (work["bare LiteLLM"], work["geppetto"]),
            )
        )
        print(f"{'ratio':13} {of_rates:6.0%}   (of CPU {of_work:.0%})   aim at least 80%")


if __name__ == "__main__":
    main()
