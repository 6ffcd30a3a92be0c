"""Computes the chunks of a cohort on Dask: a scheduler that runs elsewhere, or processes of this machine.

Every chunk is a task of its own that any worker computes to the same bits. A few per worker are under way at a time, so
that neither the workers nor this process hold many. A chunk whose worker is lost is computed again by another.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import tempfile
import threading
import warnings
import zlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from osteon.ensemble.labels import versions
from osteon.errors import InputError, MissingExtra, OsteonError, show

if TYPE_CHECKING:
    from osteon.ensemble.chunk import Chunk, Settings
    from osteon.ensemble.plan import Plan

    Compute = Callable[..., Chunk]

_ADDRESS = re.compile(r"(tcp|tls)://[^\s/:\[\]]+:\d{1,5}|(tcp|tls)://\[[0-9a-fA-F:.]+\]:\d{1,5}")
_LOCAL = re.compile(r"local:(\d{1,4})")
_MOST_LOCAL = 256
_AHEAD = 3  # chunks under way per worker: one computed, one waiting, one on its way back
_LOSSES = 5  # workers that one chunk may cost before it is given up
_PATIENCE = 10.0  # seconds to wait for a scheduler to answer
_KEPT_COHORTS = 2


def _silent(address: str) -> InputError:
    hint = "start one there, or take local:N for processes of this machine"
    return InputError(f"no Dask scheduler answers at {address}", path="cluster", value=address, hint=hint)


class Cluster:
    """Where chunks are computed.

    Parameters
    ----------
    address : str
        ``tcp://host:port`` of a scheduler or ``local:N`` for N processes of this machine.

    Raises
    ------
    InputError
        It is neither.
    MissingExtra
        Dask is not installed.
    """

    def __init__(self, address: str) -> None:
        local = _LOCAL.fullmatch(str(address))
        if not local and not _ADDRESS.fullmatch(str(address)):
            message = f"{show(address)} is neither tcp://host:port nor local:N"
            raise InputError(message, path="cluster", value=address, hint='write for example "local:4"')
        if local and not 1 <= int(local[1]) <= _MOST_LOCAL:
            message = f"{show(address)} is outside the allowed range of local:1 to local:{_MOST_LOCAL}"
            raise InputError(message, path="cluster", value=address)
        try:
            import distributed  # noqa: F401
        except ImportError:
            raise MissingExtra("A cluster", "cluster") from None
        self.address = str(address)
        self.workers = int(local[1]) if local else 0

    def reach(self) -> None:
        """Refuse a scheduler where nobody answers, before anything is written.

        Raises
        ------
        InputError
            Nobody answers.
        """
        if self.workers:
            return
        host, _, port = self.address.partition("://")[2].rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()
        except (OSError, OverflowError) as error:
            raise _silent(self.address) from error

    def __call__(
        self, plan: Plan, waiting: list[tuple[int, int]], compute: Compute, tell: Callable[[int], None]
    ) -> Generator[Chunk, None, None]:
        """Yield the chunks between the bounds that wait, in the order in which they are done."""
        if not waiting:
            return
        with self._client() as client:
            yield from _computed(client, plan, waiting, compute)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """A client of the scheduler; processes of this machine end with it."""
        from distributed import Client

        with ExitStack() as held:
            held.enter_context(_quiet())
            address: Any = self.address
            if self.workers:
                address = held.enter_context(self._local())
            try:
                client = held.enter_context(Client(address, timeout=_PATIENCE, set_as_default=False))
            except (OSError, ValueError) as error:
                raise _silent(self.address) from error
            try:
                client.wait_for_workers(1, timeout=_PATIENCE)
            except TimeoutError as error:
                message = f"the Dask scheduler at {self.address} has no workers"
                raise InputError(message, path="cluster", value=self.address, hint="start some there") from error
            yield client

    @contextmanager
    def _local(self) -> Iterator[Any]:
        from dask.config import set as configured
        from distributed import LocalCluster

        settings = {
            "distributed.scheduler.allowed-failures": _LOSSES,
            # Each worker holds a few chunks; it should not be stopped for what else the machine has in memory.
            "distributed.worker.memory.terminate": False,
            "distributed.worker.memory.pause": False,
        }
        with (
            configured(settings),
            tempfile.TemporaryDirectory(prefix="osteon-cluster-", ignore_cleanup_errors=True) as folder,
            LocalCluster(
                n_workers=self.workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                # Without a page it still serves its state: on a port of its own, so that two runs never meet.
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                memory_limit=None,
                local_directory=folder,
                preload=[__name__],
                silence_logs=logging.CRITICAL,
            ) as cluster,
        ):
            yield cluster


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log from the screen; what matters comes as an error."""
    # Dask sets the level of each of its loggers by itself.
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _computed(
    client: Any, plan: Plan, waiting: list[tuple[int, int]], compute: Compute
) -> Generator[Chunk, None, None]:
    """Keep a few chunks per worker under way and yield each as it is done."""
    from distributed import CancelledError
    from distributed.scheduler import KilledWorker

    text = zlib.compress(json.dumps(plan.cohort.to_dict()).encode())
    name, made_with = plan.cohort.content_hash(), versions()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph")
        # A task and no scattered data: the scheduler can give it again to workers that come later.
        shared = client.submit(_carried, text, pure=False)
    under_way: dict[str, tuple[Any, tuple[int, int]]] = {}
    ended: SimpleQueue[Any] = SimpleQueue()

    def submit(bounds: tuple[int, int]) -> None:
        arguments = (shared, name, type(plan.cohort), *bounds, plan.settings, compute, made_with)
        future = client.submit(_chunk_of, *arguments, pure=False)
        under_way[future.key] = future, bounds
        future.add_done_callback(ended.put)

    left = iter(waiting)
    try:
        while True:
            room = _AHEAD * max(1, len(client.nthreads())) - len(under_way)
            for bounds in islice(left, max(0, room)):
                submit(bounds)
            if not under_way:
                return
            future, bounds = under_way.pop(ended.get().key)
            try:
                chunk = future.result()
            except KilledWorker as error:
                raise _Lost(
                    f"one worker after the other was lost over patients {bounds[0]} to {bounds[1] - 1}"
                ) from error
            except RuntimeError as error:
                # What Dask says where a machine lacks the package the task comes from.
                if "deserializ" not in str(error):
                    raise
                message = "the machines of the cluster cannot read what they are given"
                hint = "install the same versions of osteon and Dask on the scheduler and the workers"
                raise InputError(message, path="cluster", value=client.scheduler.addr, hint=hint) from error
            del future
            yield chunk
    except (CancelledError, OSError) as error:
        raise _Lost("the connection to the cluster was lost") from error
    finally:
        # A scheduler that is gone cannot be asked to stop.
        with suppress(OSError, TimeoutError):
            client.cancel([shared, *(future for future, _ in under_way.values())], force=True)


class _Lost(OsteonError):
    """The cluster failed; what is done is kept."""

    def __str__(self) -> str:
        return f"{self.args[0]}; the chunks that are done are kept, go on with --resume (resume=True)."


# ---- on the worker -------------------------------------------------------------------------------------------------

_cohorts: OrderedDict[str, Any] = OrderedDict()
# Threads of one worker take turns: the compiled kernel uses them all itself.
_turn = threading.Lock()


def dask_setup(_: Any) -> None:
    """Let Ctrl-C reach the process that asked alone; Dask calls this as a process of ``local:N`` starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _carried(text: bytes) -> bytes:
    return text


def _chunk_of(
    text: bytes, name: str, kind: Any, lo: int, hi: int, settings: Settings, compute: Compute, made_with: dict[str, str]
) -> Chunk:
    """Compute one chunk on a worker, with all its threads."""
    from distributed import get_worker

    here = versions()
    for package, wanted in made_with.items():
        if here[package] != wanted:
            message = f"a worker has {package} {here[package]}, and this run {wanted}, which would change the result"
            raise InputError(message, path="cluster", value=here[package], hint="install the same versions there")
    with _turn:
        if name not in _cohorts:
            _cohorts[name] = kind.from_dict(json.loads(zlib.decompress(text)))
            while len(_cohorts) > _KEPT_COHORTS:
                _cohorts.popitem(last=False)
        threads = min(get_worker().state.nthreads, os.cpu_count() or 1)
        return compute(_cohorts[name], lo, hi, replace(settings, threads=threads))
