"""The command that starts a cluster on this machine, for trying."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

import logging
import signal
import socket
from multiprocessing import resource_tracker

import click

from ..terminal.errors import Refusal

_HOST = "127.0.0.1"


@click.command()
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8786,
    show_default=True,
    help="Of the scheduler; 0 takes a free one.",
)
def cluster(*, workers: int, port: int) -> None:
    """Start a Dask scheduler and workers on this machine, to try --cluster.

    It listens on the loopback address alone and stays until Ctrl-C. A worker that dies is started
    again. Clusters of many machines are started by Dask's own commands: see docs/cluster.md.

    \b
    disband cluster --workers 2
    disband gpt2 --cluster tcp://127.0.0.1:8786
    """
    try:
        from distributed import LocalCluster
    except ImportError as error:
        raise Refusal(
            "a cluster is Dask's, which is not installed: run pip install 'disband[cluster]'"
        ) from error
    _require_free(port)
    # Threads and processes inherit that interrupts wait, so that Ctrl-C is answered here alone, and
    # in order; what multiprocessing starts beside its first process would undo it.
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    # As many processes as there would be without a cluster, and no more limits on each.
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host=_HOST,
        scheduler_port=port,
        dashboard_address=f"{_HOST}:0",
        memory_limit=0,
        silence_logs=logging.CRITICAL,
    ) as started:
        address = started.scheduler_address
        click.echo(
            f"{workers} worker{'s' * (workers > 1)} at {address}, until Ctrl-C; in another "
            f"terminal:\n\n    disband gpt2 --cluster {address}"
        )
        signal.sigwait({signal.SIGINT})
    click.echo("\nended")


def _require_free(port: int) -> None:
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((_HOST, port))
        except OSError as error:
            raise Refusal(
                f"a scheduler has a port of its own: got {port}, which cannot be had "
                f"({error.strerror}); if no other cluster is meant to have it, choose another with "
                "--port, or 0 for a free one"
            ) from error
