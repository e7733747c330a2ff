"""Files and folders that systems leave among frames: ignored and counted, never taken for frames."""

import re

# Windows, macOS, NAS systems, editors, copies under way.
_NAME = (
    r"\.[^/]*|~\$[^/]*|[^/]*~|#[^/]*#|thumbs\.db(:encryptable)?|ehthumbs[^/]*\.db|desktop\.ini|icon\r|__macosx|"
    r"\$recycle\.bin|system volume information|lost\+found|found\.\d{3}|"
    r"@eadir|@tmp|[#@]recycle|@recently-snapshot|~snapshot|"
    r"[^/]*\.(tmp|temp|part|partial|crdownload|filepart|incomplete|swp|bak|lnk)"
)
_JUNK = re.compile(rf"(?:^|/)(?:{_NAME})(?:/|\Z)", re.IGNORECASE)


def is_junk(path: str) -> bool:
    """Whether a file or a folder above it is such a leftover.

    Args:
        path: relative, with forward slashes.
    """
    return _JUNK.search(path) is not None
