"""The workers of a Dask cluster: tasks go there, results and files come back from there.

Everything travels between the client, the scheduler and the workers; no disk is shared.
"""

import asyncio
import logging
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..kept.files import whole_file
from ..kept.provenance import installation
from .away import Files, WorkersError, brought_back
from .crew import Crew

if TYPE_CHECKING:
    from distributed import Client

Installation = dict[str, str]

# Seconds: to reach a scheduler; until it has a first worker; that it may be without any later, as
# between two jobs of a queue; between two counts of them; between two reports of a task.
REACHED, BEGUN, WITHOUT, COUNTED, REPORTED = 10.0, 30.0, 300.0, 5.0, 0.5
_EXAMPLE = "tcp://127.0.0.1:8786"
_PAGE = "see docs/cluster.md"


@contextmanager
def cluster_of(address: str) -> Iterator[Crew]:
    """All workers of the cluster whose scheduler listens at ``address``.

    Raises:
        WorkersError: On entering, nothing can be reached there, there are no workers, or they have
            another disband or other libraries; on leaving, the scheduler or all workers are gone.
    """
    try:
        from distributed import KilledWorker
    except ImportError as error:
        raise WorkersError(
            "the workers of a cluster are reached by Dask, which is not installed: run "
            "pip install 'disband[cluster]'"
        ) from error
    with _quiet():
        client = _reached(address)
        try:
            _require_workers(client, address)
            events: deque[tuple[int, float]] = deque()
            topic = f"disband-{uuid4()}"
            client.subscribe_topic(topic, lambda event: events.append(tuple(event[1])))
            yield Crew(
                _Remote(client, topic),
                _Reports(client, address, events),
                _received,
                (CancelledError, KilledWorker),
            )
        except CancelledError as error:
            raise WorkersError(
                f"the scheduler at {address} is gone; finished pieces are kept: run the same "
                "command again when it is back, or without --cluster"
            ) from error
        except KilledWorker as error:
            raise WorkersError(
                "one piece has ended several workers one after another (a lack of memory looks "
                "like that); finished pieces are kept: give the workers more memory, and run the "
                "same command again"
            ) from error
        finally:
            client.close(timeout=2)


@contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs about lost connections is told in one line of our own."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _reached(address: str) -> "Client":
    from distributed import Client

    try:
        # First without a client, which waits without end for what answers in another language.
        asyncio.run(_asked(address))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared below
            return Client(address, timeout=REACHED, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise WorkersError(
            f"--cluster is the address of a running Dask scheduler, such as {_EXAMPLE}: none "
            f"answers at {address or 'no address'} ({' '.join(str(error).split())}); start one "
            f"with disband cluster, or {_PAGE}"
        ) from error


async def _asked(address: str) -> None:
    """Ask who is there.

    Raises:
        ValueError: The address is none, or that of something else.
        OSError: Nobody answers.
    """
    from distributed.core import rpc
    from distributed.security import Security

    settings = Security().get_connection_args("client")
    async with rpc(address, timeout=REACHED, connection_args=settings) as there:
        try:
            who = await asyncio.wait_for(there.identity(), REACHED + 1)
        except TimeoutError as error:
            raise OSError("what listens there is no scheduler") from error
    if who.get("type") != "Scheduler":
        raise ValueError(f"it is that of a {str(who.get('type')).lower()}")


def _require_workers(client: "Client", address: str) -> None:
    """See that there are workers, and that each would do here what is done there."""
    try:
        client.wait_for_workers(1, timeout=BEGUN)
    except TimeoutError as error:
        raise WorkersError(
            f"a cluster has workers: that at {address} has had none for {BEGUN:.0f} s; start some, "
            f"{_PAGE}"
        ) from error
    for worker, threads in client.nthreads().items():
        if threads != 1:
            raise WorkersError(
                "a worker does one piece at a time, for random numbers belong to its process: "
                f"{worker} has {threads} threads; start it with --nthreads 1, {_PAGE}"
            )
    for worker, there in client.run(installation, on_error="return").items():
        if isinstance(there, Exception):
            raise WorkersError(
                f"workers have disband installed: {worker} answers {there}; install the same "
                f"version there, {_PAGE}"
            )
        _require_alike(there, installation(), worker)


def _require_alike(there: Installation, here: Installation, worker: str) -> None:
    for name in sorted({*there, *here}, key=lambda name: (name != "disband", name)):
        has, wanted = there.get(name, "not installed"), here.get(name, "not installed")
        if has != wanted:
            raise WorkersError(
                "workers have the disband and the libraries of the machine that asks them, for "
                f"results depend on them: {worker} has {name} {has}, here it is "
                f"{wanted}; install the same there, {_PAGE}"
            )


class _Remote(Executor):
    """Hands tasks to a client's executor; what many of them share is sent once."""

    def __init__(self, client: "Client", topic: str) -> None:
        self._client, self._topic = client, topic
        self._executor = client.get_executor()
        self._installation = installation()
        # By identity: the value, which thereby keeps it, and what stands for it on the cluster.
        self._sent: dict[int, tuple[Any, Any]] = {}

    def submit(  # type: ignore[override]  # of calls of one kind alone
        self, _: Callable[..., Any], work: Callable[..., Any], task: Any, number: int
    ) -> "Future[Any]":
        shared = {name: self._stand_in(value) for name, value in _shared(task)}
        left = replace(task, **dict.fromkeys(shared)) if shared else task
        future: Future[Any] = self._executor.submit(
            _do, self._installation, self._topic, number, work, left, **shared, priority=-number
        )
        return future

    def _stand_in(self, value: Any) -> Any:
        """A future of the value: a task that gives it, so that it outlives every worker."""
        if id(value) not in self._sent:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # that it is large
                self._sent[id(value)] = value, self._client.submit(_same, value, pure=False)
        return self._sent[id(value)][1]


def _shared(task: Any) -> Iterator[tuple[str, Any]]:
    if is_dataclass(task):
        for field in fields(task):
            if field.metadata.get("shared") and getattr(task, field.name) is not None:
                yield field.name, getattr(task, field.name)


def _same(value: Any) -> Any:
    return value


class _Reports:
    """What has come in since; sees, too, whether anybody is left to report."""

    def __init__(self, client: "Client", address: str, events: deque[tuple[int, float]]) -> None:
        self._client, self._address, self._events = client, address, events
        self._counted = self._seen = monotonic()

    def __call__(self) -> Iterable[tuple[int, float]]:
        if self._client.status != "running":
            raise CancelledError
        if (now := monotonic()) - self._counted > COUNTED:
            self._counted = now
            try:
                present = self._client.nthreads()
            except OSError as error:
                raise CancelledError from error
            if present:
                self._seen = now
            if now - self._seen > WITHOUT:
                raise WorkersError(
                    f"the cluster at {self._address} has had no worker for {WITHOUT:.0f} s; "
                    "finished pieces are kept: start workers, and run the same command again"
                )
        while self._events:
            yield self._events.popleft()


def _received(value: tuple[Any, Files]) -> Any:
    result, files = value
    for path, data in files:
        with whole_file(Path(path)) as file:
            file.write(data)
    return result


def _do(
    expected: Installation,
    topic: str,
    number: int,
    work: Callable[..., Any],
    task: Any,
    **shared: Any,
) -> tuple[Any, Files]:
    """In a worker: do a task, report on it, and return its result and the files it wrote."""
    from distributed import get_worker

    worker = get_worker()
    # It may have joined since the others were looked at.
    _require_alike(installation(), expected, worker.address)
    told = 0.0

    def report(share: float) -> None:
        nonlocal told
        if (now := monotonic()) - told > REPORTED:
            told = now
            worker.log_event(topic, (number, float(share)))

    with brought_back() as files:
        result = work(replace(task, **shared) if shared else task, report)
    return result, files
