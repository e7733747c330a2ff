"""The verify command: exit status and words."""

from pathlib import Path

import pytest

from pipelines.verify import main
from tests.small_line import build_dataset, write_line


def test_a_good_and_a_bad_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = write_line(tmp_path / "frames"), tmp_path / "out"
    committed = build_dataset(root, out)
    assert main([str(out), "--root", str(root)]) == 0
    text = capsys.readouterr().out
    assert "small 1.0.0: verified, no fault" in text
    assert "200 records in 5 shards (train 160, validation 40)" in text
    assert committed.digest in text
    (root / "A/run_00/frame_00.png").unlink()
    next(out.glob("small-validation*")).unlink()
    assert main([str(out), "--root", str(root)]) == 1
    text = capsys.readouterr().out
    assert "FAULTS" in text
    assert "missing_shard: small-validation.tfrecord-00000-of-00001" in text
    assert "frame_missing: A/run_00/frame_00.png" in text


def test_a_folder_that_is_no_dataset_does_not_hide_the_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_dataset(write_line(tmp_path / "frames"), tmp_path / "out")
    assert main([str(tmp_path / "nothing"), str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert "there is no such folder" in captured.err
    assert "small 1.0.0: verified, no fault" in captured.out


def test_a_folder_that_is_no_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(SystemExit):
        main([])
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--threads", "none"])
    assert "expected a whole number, 1 or more, got 'none'" in capsys.readouterr().err
    assert main([str(tmp_path), "--rot", "frames"]) == 1
    assert "got '--rot'" in capsys.readouterr().err
