"""How much one server takes on; what does not fit is refused at once."""

from dataclasses import dataclass

from swiftseg.core import UsageError


@dataclass(frozen=True)
class Limits:
    """What is kept to, for one process of the server.

    Attributes:
        max_body_bytes: Of one request, and of one message of a stream.
        max_bodies_bytes: Of all requests that are being received.
        max_pixels: Of one picture, by its header.
        max_values: Probabilities in one answer: classes times pixels.
        max_batch: Pictures in one request.
        max_queue: Pictures that wait for a worker.
        max_wait_s: How long a picture waits for a worker.
        body_timeout_s: From a request's headers to the end of its body.
        silence_s: How long a connection may stay open without a complete request's headers, or
            without taking what is sent to it.
        max_connections: Open ones; more are closed at once.
        max_streams: Open WebSocket streams.
        stream_silence_s: How long a stream may stay without a frame.
        drain_s: How long requests may take to end after SIGTERM.
    """

    max_body_bytes: int = 20_000_000
    max_bodies_bytes: int = 200_000_000
    max_pixels: int = 40_000_000
    max_values: int = 100_000_000
    max_batch: int = 16
    max_queue: int = 32
    max_wait_s: float = 5.0
    body_timeout_s: float = 15.0
    silence_s: float = 10.0
    max_connections: int = 1000
    max_streams: int = 16
    stream_silence_s: float = 60.0
    drain_s: int = 30

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise UsageError(f"expected a limit above zero for {name}, got {value}")
        if self.max_batch > self.max_queue:
            raise UsageError(
                f"a batch of {self.max_batch} pictures never fits a queue of {self.max_queue}; "
                "lengthen the queue"
            )
