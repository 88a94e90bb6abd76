"""Put on a worker's path, makes every picture called `poison` kill the process that reads it."""

import os
import signal
import sys
from importlib import import_module

# What a worker imports last, and where the reader of pictures is that it calls then.
READERS = {
    "swiftseg.labeling.stages": ("swiftseg.inference.given_image", "read_image"),
    "swiftseg.cluster.evaluate_on_ray": ("swiftseg.data.paired_files", "read_picture"),
}


class _Poisoning:
    """Finds no module; patches the reader of images once that is there."""

    def find_spec(self, name, path=None, target=None):
        if name in READERS:
            where, what = READERS[name]
            room = import_module(where)
            read = getattr(room, what)

            def read_or_die(path):
                if "poison" in str(path):
                    os.kill(os.getpid(), signal.SIGKILL)
                return read(path)

            setattr(room, what, read_or_die)
        return


sys.meta_path.insert(0, _Poisoning())
