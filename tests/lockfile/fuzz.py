"""Try mutated lockfiles by the million: python tests/lockfile/fuzz.py [INPUTS] [FIRST SEED]

Every input is read, and of those that are runs every fourth is written, shown and compared with a real one in every
form. It prints how many were read and refused, the seed and the traceback of every other outcome, the most CPU seconds
that one input took, and the most memory. The status is 1 where anything but the documented error came out, or an input
took more than ten seconds.
"""

from __future__ import annotations

import random
import resource
import signal
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lockfile.mutations import corpus, mutated
from lockfile.using import nearest, read, use

from pytest_mlrepro.lockfile import loads

MOST_SECONDS = 10
MOST_MEMORY = 4 << 30


class TooLongError(BaseException):
    """An input took longer than any may."""


def too_long(number, frame):
    raise TooLongError


def main(inputs, first):
    signal.signal(signal.SIGVTALRM, too_long)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    texts = corpus()
    runs = [loads(text) for text in texts]
    counts = {"read": 0, "refused": 0, "failed": 0}
    slowest = (0.0, first)
    for seed in range(first, first + inputs):
        text = mutated(random.Random(seed), texts)
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
        try:
            run = read(text)
            if run is not None and seed % 4 == 0:
                use(run, nearest(run, runs))
            counts["refused" if run is None else "read"] += 1
        except (Exception, TooLongError):  # noqa: BLE001 - whatever it is, it is what is looked for
            counts["failed"] += 1
            print(f"seed {seed}", traceback.format_exc(limit=-3), sep="\n", flush=True)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        slowest = max(slowest, (time.process_time() - begun, seed))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{inputs:,} inputs from seed {first}: {counts}")
    print(f"slowest {slowest[0]:.2f} s of CPU (seed {slowest[1]}), {memory / 1024:.0f} MiB at most")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    given = [int(float(each)) for each in sys.argv[1:]]
    sys.exit(main(*(given + [1_000_000, 0][len(given) :])))
