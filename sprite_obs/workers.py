"""What is different in worker processes: there is one of them per core already."""

import multiprocessing

import torch


def is_worker() -> bool:
    """Tells whether this process was started by another one to share its work.

    `SubprocVecEnv` and `AsyncVectorEnv` play each environment in such a process, a daemonic one.
    """
    return multiprocessing.current_process().daemon


def use_one_thread_in_workers() -> None:
    """Limits PyTorch to one thread in a worker process.

    If each of them used all cores, they would wait for each other; and after a fork, PyTorch must
    not use the threads that it had in the parent. Processes that the user started are left alone.
    """
    if is_worker() and torch.get_num_threads() > 1:
        torch.set_num_threads(1)
