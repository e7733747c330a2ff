"""`Files` over Beam's filesystems: any root that Beam opens (s3://, gs://, hdfs://), beside plain local folders."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from drae_data.files import Files, LocalFiles


def files_at(root: str) -> Files:
    """The files below a root: a local folder, or a URL that Beam's filesystems open."""
    return BeamFiles(root.rstrip("/")) if "://" in root else LocalFiles(root)


@dataclass(frozen=True)
class BeamFiles(Files):
    """Files below a URL. Object stores have no folders: they are read off the names of the objects."""

    def folders(self, depth: int) -> Iterator[str]:
        """See `Files.folders`; lists the objects one level below the folders."""
        found = self._match("/".join(["*"] * (depth + 1)))
        seen = {path.rsplit("/", 1)[0] for path, _ in found}
        yield from (folder for folder in seen if not any(part.startswith(".") for part in folder.split("/")))

    def names(self, folder: str) -> dict[str, int]:
        """See `Files.names`."""
        prefix = f"{folder}/" if folder else ""
        return {path.removeprefix(prefix): size for path, size in self._match(f"{prefix}*")}

    def read(self, path: str) -> bytes:
        """See `Files.read`."""
        try:
            with FileSystems.open(f"{self.root}/{path}", compression_type=CompressionTypes.UNCOMPRESSED) as stream:
                content: bytes = stream.read()
        except BeamIOError as error:
            raise FileNotFoundError(2, "cannot be opened", f"{self.root}/{path}") from error
        return content

    def write(self, path: str, parts: Iterable[bytes]) -> None:
        """See `Files.write`; an object appears when its stream is closed, so it needs no staging name."""
        with FileSystems.create(f"{self.root}/{path}", compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            for part in parts:
                stream.write(part)

    def remove(self, path: str) -> None:
        """See `Files.remove`."""
        targets = [f"{self.root}/{found}" for found, _ in self._match(f"{path}/**")]
        if FileSystems.exists(f"{self.root}/{path}"):
            targets.append(f"{self.root}/{path}")
        if targets:
            FileSystems.delete(targets)

    def _match(self, pattern: str) -> list[tuple[str, int]]:
        result = FileSystems.match([f"{self.root}/{pattern}"])[0]
        return [(item.path.removeprefix(f"{self.root}/"), item.size_in_bytes) for item in result.metadata_list]
