"""Prints what a params file's networks cost and draws them: `python -m pipelines.describe_model --help`."""

import pipelines.quiet_tensorflow  # noqa: F401

# isort: split
import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import pydot

from drae_data.errors import DraeError
from drae_model.networks import Networks, build_networks
from drae_model.operations import (
    FLOP_PER_MULTIPLY_ADD,
    Cost,
    LayerCost,
    layer_costs,
    total,
    training_multiply_adds,
    without_weights,
)
from pipelines.beam_files import write_file
from pipelines.console import png_name, run_command, say
from pipelines.params import load_params

_EPILOG = """\
examples:
  python -m pipelines.describe_model
  python -m pipelines.describe_model --params params.paper.yaml --layers
  python -m pipelines.describe_model --out network.png

The networks are built without values for their weights, so that this takes seconds and little memory at any size.
A multiply-add is 2 FLOP. Training a patch costs 3 (autoencoder + second encoder) + 7 discriminator multiply-adds:
forward once and backward twice as much, the discriminator on the patch and on its reconstruction. SSIM, normalisation
and the optimizer come on top. Convolution outputs are what a training step must keep at least until its backward pass.
A picture needs Graphviz: package graphviz in Debian and Ubuntu.
Exit status 0: all was printed and drawn. 1: the params file is wrong, or there is no Graphviz.
"""
_DPI = 60


class DrawingError(DraeError):
    """The picture cannot be drawn."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    return run_command(_run, argv)


def _run(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.describe_model",
        description="Prints layers, parameters, multiply-adds and memory of the networks that section train of a "
        "params file describes, for a patch scored and a patch trained, and draws them on request.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="params file (default: params.yaml)")
    parser.add_argument("--layers", action="store_true", help="also print every layer with its output's shape")
    parser.add_argument("--out", type=png_name, help="draw the networks and one block of each kind into this PNG file")
    arguments = parser.parse_args(argv)
    params = load_params(arguments.params)
    training = params.training_options()
    per_region = training.network.linear_path is not None and training.network.linear_path.per_region
    projections = len(params.strip_layout.options().regions) if per_region else 1
    # Costs are the same at every precision.
    networks = without_weights(lambda: build_networks(training.network, projections, 0, "float32"))
    rows = _rows(networks)
    if arguments.layers:
        say(layer_table(rows) + "\n")
    say(report(rows, training.batch_size, training.precision))
    if arguments.out:
        write_file(arguments.out, drawing(networks))
        say(f"drawn: {arguments.out}")


def _rows(networks: Networks) -> list[LayerCost]:
    """The layers of all networks."""
    models = (networks.autoencoder, networks.second_encoder, networks.discriminator)
    return [row for model in models for row in layer_costs(model)]


def layer_table(rows: Iterable[LayerCost]) -> str:
    """Every layer, for people."""
    lines = [f"{'network':<15} {'layer':<28} {'kind':<19} {'output':>15} {'parameters':>12} {'multiply-adds':>16}"]
    lines += [
        f"{row.network:<15} {row.layer:<28} {row.kind:<19} {' x '.join(map(str, row.shape)):>15} "
        f"{row.parameters:>12,} {row.multiply_adds:>16,}"
        for row in rows
    ]
    return "\n".join(lines)


def report(rows: Sequence[LayerCost], batch_size: int, precision: str) -> str:
    """The networks and their sums, for people."""
    parts: dict[str, list[LayerCost]] = {}
    for row in rows:
        parts.setdefault(_part(row), []).append(row)
    whole = {name: total(row for row in rows if row.network == name) for name in {row.network for row in rows}}
    scored = whole["autoencoder"].multiply_adds
    second, judge = whole["second_encoder"], whole["discriminator"]
    trained = training_multiply_adds(scored, second.multiply_adds, judge.multiply_adds)
    # The discriminator sees the patch and its reconstruction.
    outputs = sum(cost.convolution_outputs for cost in whole.values()) + judge.convolution_outputs
    size = 4 if precision == "float32" else 2
    lines = [
        f"{'network':<15} {'layers':>7} {'parameters':>14} {'multiply-adds/patch':>20} {'conv. outputs/patch':>20}"
    ]
    lines += [_cost_line(part, total(of_part)) for part, of_part in parts.items()]
    return "\n".join([
        *lines,
        _cost_line("all", total(rows)),
        "",
        f"a patch scored   {_flop(scored)}",
        f"a patch trained  {_flop(trained)}",
        f"convolution outputs of a training batch of {batch_size:,}, {precision}: "
        f"{outputs * size * batch_size / 1e9:,.2f} GB",
    ])  # fmt: skip


def _part(row: LayerCost) -> str:
    """The network that a layer belongs to, where the autoencoder is taken apart."""
    if row.network != "autoencoder":
        return row.network.replace("_", " ")
    inside = row.layer.partition("/")[0]
    return inside if inside in ("encoder", "decoder") else "linear path"


def _cost_line(name: str, cost: Cost) -> str:
    return (
        f"{name:<15} {cost.layers:>7,} {cost.parameters:>14,} {cost.multiply_adds:>20,} {cost.convolution_outputs:>20,}"
    )


def _flop(multiply_adds: int) -> str:
    return f"{multiply_adds * FLOP_PER_MULTIPLY_ADD / 1e9:,.3f} GFLOP"


def drawing(networks: Networks) -> bytes:
    """All networks side by side and below them one block of each kind, as a PNG file.

    Raises:
        DrawingError: Graphviz is not installed, or failed.
    """
    encoder, decoder = networks.autoencoder.get_layer("encoder"), networks.autoencoder.get_layer("decoder")
    models = {
        "autoencoder": networks.autoencoder,
        "encoder (and second encoder)": encoder,
        "decoder": decoder,
        "discriminator": networks.discriminator,
    }
    for network in (encoder, decoder):
        blocks = [layer.name for layer in network.layers if isinstance(layer, keras.Model)]
        # The first block of all sees the raw image and is not like the others.
        stage = "stage2_" if "stage2_a" in blocks else "stage1_"
        kinds = {"A": "a", "B": "b1", "C": "c"} if network is encoder else {"C": "c"}
        models |= {
            f"{network.name}, block {kind}": network.get_layer(stage + end)
            for kind, end in kinds.items()
            if stage + end in blocks
        }
    # Graphviz lays unconnected graphs out in a grid, in the order of their making: four in a row.
    graph = pydot.Dot(rankdir="TB", dpi=_DPI, pack=30, packmode="array_i4")
    graph.set_node_defaults(shape="record")
    for number, (label, model) in enumerate(models.items()):
        cluster = keras.utils.model_to_dot(model, show_shapes=True, show_layer_names=True, subgraph=True)
        # Keras names clusters after their models; Graphviz makes one of two that share a name.
        cluster.set_name(f"cluster_{number}")
        cluster.set_label(label)
        cluster.set_fontsize(30)
        graph.add_subgraph(cluster)
    try:
        # pydot declares text, but gives what the program wrote.
        picture: Any = graph.create(format="png")
        return bytes(picture)
    except FileNotFoundError as error:
        raise DrawingError(
            "--out: the picture needs Graphviz, whose program `dot` was not found; install the package graphviz "
            "(Debian, Ubuntu: apt-get install graphviz) and run the command again"
        ) from error
    except (pydot.PydotException, AssertionError) as error:
        raise DrawingError(f"--out: Graphviz could not draw the networks: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
