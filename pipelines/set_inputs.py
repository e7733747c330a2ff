"""What a set is built from, opened: its options with the tables they name, and the roots of its files."""

from collections.abc import Mapping
from dataclasses import dataclass

from drae_data.alignment import reference_pixels
from drae_data.errors import OptionError
from drae_data.files import Files
from drae_data.options import DatasetOptions
from pipelines.beam_files import files_at
from pipelines.params import Params, ParamsError, placed
from pipelines.patient_files import patient


@dataclass(frozen=True)
class SetInputs:
    """One set, ready to be listed.

    Attributes:
        options: of the dataset.
        tables: content of the files in the set's folder of tables that the options name.
        source: the root of the frames.
    """

    options: DatasetOptions
    tables: Mapping[str, bytes]
    source: Files


def set_inputs(params: Params, name: str, root: str | None = None, tables: str | None = None) -> SetInputs:
    """Opens a set.

    Args:
        params: the params file.
        name: of the set.
        root: read frames from here instead of where the params say.
        tables: read the tables from here instead of where the params say.

    Raises:
        ParamsError: a table cannot be read.
        OptionError: an option is not allowed.
    """
    chosen = params.set_params(name)
    folder = tables or chosen.tables or ""
    try:
        names = chosen.table_names(folder)
    except OptionError as error:
        raise placed(error, name) from error
    content = {}
    for table in names:
        try:
            content[table] = patient(files_at(folder)).read(table)
        except OSError as error:
            raise ParamsError(
                f"build.{name}: expected the file {table} in its folder of tables {folder!r}: {error.strerror or error}"
            ) from error
    options = params.dataset_options(name, content)
    try:
        if options.align is not None:
            reference_pixels(options.align, options.pixels)
    except OptionError as error:
        raise placed(error, name) from error
    return SetInputs(options, content, files_at(root or chosen.root))
