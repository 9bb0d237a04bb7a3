"""One thread in worker processes: there is one of them per core already."""

import multiprocessing

import torch


def use_one_thread_in_workers() -> None:
    """Limits PyTorch to one thread where this process is a worker of another one.

    `SubprocVecEnv` and `AsyncVectorEnv` play each environment in a process of its own. If each of
    them used all cores, they would wait for each other; and after a fork, PyTorch must not use the
    threads that it had in the parent. Processes that the user started are left alone.
    """
    if multiprocessing.current_process().daemon and torch.get_num_threads() > 1:
        torch.set_num_threads(1)
