"""Past frames to scrub through, within a budget of memory."""

from __future__ import annotations

from engine.api import Frame

MAXIMUM_FRAMES = 400
MAXIMUM_BYTES = 96 * 2**20


class FrameHistory:
    """Keeps the frames of one run. When it grows too large, every second one of the older frames is let go, so that what is
    left still spans the whole run.
    """

    def __init__(self, maximum_frames: int = MAXIMUM_FRAMES, maximum_bytes: int = MAXIMUM_BYTES) -> None:
        self._maximum_frames = maximum_frames
        self._maximum_bytes = maximum_bytes
        self._frames: list[Frame] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Frame:
        return self._frames[index]

    def clear(self) -> None:
        """Forget everything; a new run begins."""
        self._frames.clear()
        self._bytes = 0

    def append(self, frame: Frame) -> None:
        """Keep a frame; one of the same step replaces the newest."""
        if self._frames and self._frames[-1].step >= frame.step:
            self._bytes -= self._frames.pop().nbytes
        self._frames.append(frame)
        self._bytes += frame.nbytes
        while len(self._frames) > 2 and (len(self._frames) > self._maximum_frames or self._bytes > self._maximum_bytes):
            self._thin()

    def _thin(self) -> None:
        first, *rest = self._frames
        self._frames = [first, *rest[-1::-2][::-1]]
        self._bytes = sum(frame.nbytes for frame in self._frames)
