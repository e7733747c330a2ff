"""OpenCV in the one way that gives the same pixels on every processor."""

import cv2


def plain_opencv() -> None:
    """Switches Intel's IPP off for the calling thread.

    IPP rounds differently from one processor to the next and from OpenCV's own code; OpenCV's own code does not (a test
    runs it with its processor paths disabled). The switch belongs to a thread, so every function that decides bytes
    calls this first; it costs less than a microsecond.
    """
    cv2.ipp.setUseIPP(False)
