"""Ten thousand requests to a server that fails a fifth of the time, by a client that is killed.

It fails as servers, proxies and gateways do, and in ways that nobody has seen yet: see `FAULTS` of
the server. The client is killed without warning and started again until it ends by itself. Then
every answer is compared with what the server says when it does not fail. Run:
python benchmarks/faults.py
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from scripted import Rounds, endpoint, questions, request, truth

SERVER = Path(__file__).parents[1] / "tests" / "helpers" / "fault_server.py"


def ask(folder: Path, number: int) -> None:
    """What the client does: ask all that is not answered yet."""
    base = f"http://127.0.0.1:{(folder / 'port').read_text()}/v1"
    store = CompletionStore.at(folder / "answers.db")
    text_model = endpoint(base, timeout=1.0)
    converse(text_model, Rounds(), questions(number), store, BudgetTracker(), lambda _: None)


def killed_and_resumed(folder: Path, number: int, kills: int, seconds: float) -> int:
    """How often the client was killed before it ended by itself."""
    for run in range(kills + 1):
        client = subprocess.Popen([sys.executable, __file__, "--client", folder, f"{number}"])
        try:
            client.wait(seconds if run < kills else None)
        except subprocess.TimeoutExpired:
            client.send_signal(signal.SIGKILL)
            client.wait()
            continue
        if client.returncode:
            raise SystemExit(f"the client ended with {client.returncode}")
        return run
    return kills


def report(folder: Path, number: int) -> None:
    """Print what became of all requests."""
    base = f"http://127.0.0.1:{(folder / 'port').read_text()}/v1"
    identity = endpoint(base).identity
    said = {
        request(question).id(identity): truth(question) for question in questions(number).values()
    }
    completions = CompletionStore.at(folder / "answers.db").get(said)
    became = Counter(
        "carries a reason"
        if completion.error
        else "as without faults"
        if completion.text == said[key]
        else "with half a character mended"
        if completion.text == f"{said[key]}\ufffd"
        else "WRONG" for key, completion in completions.items()
    )  # fmt: skip
    became["LOST"] = number - len(completions)
    for completion in completions.values():
        if completion.error:
            print(f"a reason, after {completion.attempts} attempts: {completion.error}")
    for what, count in became.items():
        print(f"{what:28} {count:7,}")
    happened = json.loads((folder / "happened").read_text())
    print(f"{'sent in all':28} {sum(happened.values()):7,}")
    print(f"{'attempts of the stored':28} {sum(r.attempts for r in completions.values()):7,}")
    for what, count in sorted(happened.items()):
        print(f"  {what or 'answered':26} {count:7,}")


def main() -> None:
    """Run the server, the client until it has ended, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--faults", type=float, default=0.2)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=25.0, help="until each kill")
    parser.add_argument("--client", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        ask(Path(given.client[0]), int(given.client[1]))
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, SERVER, folder, "--faults", f"{given.faults}"]
        server = subprocess.Popen([*command, "--slow", "5"])
        try:
            while not (folder / "port").exists():
                time.sleep(0.05)
            began = time.monotonic()
            kills = killed_and_resumed(folder, given.requests, given.kills, given.seconds)
            print(f"{'seconds':28} {time.monotonic() - began:7.0f}")
            print(f"{'killed':28} {kills:7}")
        finally:
            server.terminate()
            server.wait()
        report(folder, given.requests)


if __name__ == "__main__":
    main()
