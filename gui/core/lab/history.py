"""Past frames to scrub through, within a budget of memory."""

from __future__ import annotations

from engine.api import Frame

MAXIMUM_FRAMES = 400
MAXIMUM_BYTES = 96 * 2**20


class FrameHistory:
    """Keeps frames of one run: the newest, and every `spacing`-th of those before it.

    The spacing doubles whenever they become too many or too large, so that what is kept always spans the whole run evenly.
    """

    def __init__(self, maximum_frames: int = MAXIMUM_FRAMES, maximum_bytes: int = MAXIMUM_BYTES) -> None:
        self._maximum_frames = maximum_frames
        self._maximum_bytes = maximum_bytes
        self.clear()

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Frame:
        return self._frames[index]

    def clear(self) -> None:
        """Forget everything; a new run begins."""
        self.spacing = 1
        self._frames: list[Frame] = []
        self._numbers: list[int] = []  # of each kept frame among all that came
        self._bytes = 0
        self._count = 0

    def append(self, frame: Frame) -> None:
        """Keep a frame; one of the same step replaces the newest."""
        again = bool(self._frames) and self._frames[-1].step >= frame.step
        number = self._numbers[-1] if again else self._count
        self._count += not again
        if self._frames and (again or self._numbers[-1] % self.spacing):
            self._bytes -= self._frames.pop().nbytes
            self._numbers.pop()
        self._frames.append(frame)
        self._numbers.append(number)
        self._bytes += frame.nbytes
        while len(self._frames) > 2 and (len(self._frames) > self._maximum_frames or self._bytes > self._maximum_bytes):
            self._thin()

    def _thin(self) -> None:
        self.spacing *= 2
        newest = self._numbers[-1]
        kept = [index for index, number in enumerate(self._numbers) if number % self.spacing == 0 or number == newest]
        self._frames = [self._frames[index] for index in kept]
        self._numbers = [self._numbers[index] for index in kept]
        self._bytes = sum(frame.nbytes for frame in self._frames)
