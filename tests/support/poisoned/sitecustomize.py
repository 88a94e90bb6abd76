"""Put on a worker's path, makes every picture called `poison` kill the process that reads it."""

import os
import signal
import sys


class _Poisoning:
    """Finds no module; patches the reader of images once that is there."""

    def find_spec(self, name, path=None, target=None):
        if name == "swiftseg.labeling.stages":
            from swiftseg.inference import given_image

            read = given_image.read_image

            def read_or_die(path):
                if "poison" in str(path):
                    os.kill(os.getpid(), signal.SIGKILL)
                return read(path)

            given_image.read_image = read_or_die
        return


sys.meta_path.insert(0, _Poisoning())
