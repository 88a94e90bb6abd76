"""Which images of a camera are segmented when fewer are wanted than come; needs no ROS."""


class Pace:
    """Lets through at most `rate_hz` images a second, by the times they were taken.

    Args:
        rate_hz: 0 for all.

    Raises:
        ValueError: The rate is below 0, or no number.
    """

    def __init__(self, rate_hz: float) -> None:
        if not rate_hz >= 0:
            raise ValueError(f"expected a rate of 0 (all images) or more, got {rate_hz}")
        self._interval_ns = round(1e9 / rate_hz) if rate_hz else 0
        self._next_ns: int | None = None

    def wants(self, stamp_ns: int) -> bool:
        """Whether the image of that time is due; a clock that was set back starts anew."""
        due = self._next_ns
        if due is not None and due - self._interval_ns <= stamp_ns < due:
            return False
        # From the due time on, so that the rate holds when the camera's times do not divide it.
        on_time = due is not None and due <= stamp_ns < due + self._interval_ns
        self._next_ns = (due if on_time and due is not None else stamp_ns) + self._interval_ns
        return True
