"""Shows one patch of a dataset and where it came from: `python -m pipelines.show --help`."""

import argparse
import sys
from collections.abc import Sequence

from drae_data.patch_lookup import FoundPatch, SourceComparison, compare_with_frames, find_patch
from drae_data.png import encode_png
from pipelines.beam_files import files_at, write_file
from pipelines.console import png_name, run_command, say
from pipelines.runner import beam_options

_EPILOG = """\
examples:
  python -m pipelines.show datasets/production/1.0.0 S0001/r0/f07/v2/R1
  python -m pipelines.show datasets/production/1.0.0 S0001/r0/min/v2/R1 --root data/frames/production --out patch.png

A key reads STRIP/rRUN/IMAGE/vVIAL/REGION; IMAGE is f00, f01, ... for a frame, min or max for a rank image. Where the
line has them, batch=B/recipe=R/station=S/ stand before it.
Exit status 0: the patch was found. 1: it was not, or with --root the frames no longer give it.
Flags that are not listed here go to Apache Beam, whose filesystems open URLs: --s3_endpoint_url, ...
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.show",
        description="Writes one patch of a dataset as a PNG file and prints where it came from: shard and record, "
        "frame file with its SHA-256, box, statistics, dataset and code version.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", help="version folder, such as datasets/production/1.0.0")
    parser.add_argument("key", help="the patch's key, such as S0001/r0/f07/v2/R1")
    parser.add_argument("--out", type=png_name, help="the PNG file to write (default: the key with _ for /, here)")
    parser.add_argument("--root", help="also read the frames below this root again and compare")
    known, beam_flags = parser.parse_known_args(argv)
    beam_options(beam_flags)
    out = known.out or known.key.replace("/", "_") + ".png"
    found = find_patch(files_at(known.dataset), known.key)
    write_file(out, encode_png(found.pixels()))
    say(report(found, out))
    if not known.root:
        return 0
    comparison = compare_with_frames(found, files_at(known.root))
    say(comparison_report(found, comparison, known.root))
    return 0 if comparison.agrees else 1


def report(found: FoundPatch, out: str) -> str:
    """Where a patch came from, for people."""
    row, box, content = found.row, found.box, found.content
    size = content.patch.size
    lines = [
        f"{found.key} -> {out}",
        f"  split         {row.split}",
        f"  record        {row.index} of {found.shard}, {row.length:,} bytes at offset {row.offset:,}; checksums agree",
        f"  image         {size} x {size}, {content.patch.encoding}, SHA-256 {row.sha256}, agrees",
        f"  grey values   mean {row.mean:.2f}, standard deviation {row.std:.2f}, {row.minimum} to {row.maximum}",
        f"  box           left {box.left}, top {box.top}, {box.width} x {box.height} pixels "
        f"of {found.view.width} x {found.view.height}; fit: {content.patch.fit}",
        f"  folder        {found.acquisition.folder or '.'}",
    ]
    if found.key.image.rank:
        extreme = {"min": "minimum", "max": "maximum"}[found.key.image.rank]
        lines.append(f"  frames        the per-pixel {extreme} of these {len(found.frames)}")
    lines += [
        f"  {'' if found.key.image.rank else 'frame':<13} {frame.file}, {frame.bytes:,} bytes, SHA-256 {frame.sha256}"
        for frame in found.frames
    ]
    return "\n".join([
        *lines,
        f"  dataset       {content.name} {content.version}, built with code version {content.code_version}",
        f"  digest        {content.digest}",
    ])  # fmt: skip


def comparison_report(found: FoundPatch, comparison: SourceComparison, root: str) -> str:
    """What became of the frames, for people."""
    count = len(found.frames)
    frames = f"SHA-256 of {count} frame file{'' if count == 1 else 's'}"
    if comparison.changed:
        lines = [f"  {len(comparison.changed)} of the {frames} differ now: {', '.join(comparison.changed)}"]
    elif comparison.problem:
        lines = []
    else:
        lines = [f"  {frames}: as at the build"]
    if comparison.problem:
        lines.append(f"  cannot be cut again: {comparison.problem}")
    else:
        lines.append(f"  cut again: {'the same pixels' if comparison.same_pixels else 'OTHER PIXELS'}")
    return "\n".join([f"compared with {root}", *lines])


if __name__ == "__main__":
    sys.exit(main())
