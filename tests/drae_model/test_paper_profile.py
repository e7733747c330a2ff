"""The paper's network at its full size takes one training step of a single patch on a processor, in its own process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STEP = """
import json, resource, sys, time
import pipelines.quiet_tensorflow
import keras, numpy as np, tensorflow as tf
from pathlib import Path
from drae_model.drae import DRAE
from drae_model.networks import build_networks
from pipelines.params import load_params
options = load_params(Path("params.paper.yaml")).training_options()
networks = build_networks(options.network, 1, options.seed, options.precision)
drae = DRAE(networks, options.losses, options.score)
rate = options.learning_rate.start
drae.compile(keras.optimizers.Adam(rate), keras.optimizers.Adam(rate), options.xla)
y, x = np.mgrid[:256, :256] / 256
image = (0.5 + 0.4 * np.sin(9 * x + 5 * y)).astype(np.float32)[None, ..., None]
noise = np.zeros_like(image)
noise[:, 60:90, 100:160] = 0.8
batch = {"image": image, "perturbed": np.where(noise > 0, 0.2 * image + 0.8 * noise, image), "noise": noise,
         "region": np.zeros(1, np.int32)}
last = networks.autoencoder.get_layer("decoder").get_layer("grey")
weights = [last.kernel, networks.discriminator.trainable_variables[0]]
before = [weight.numpy() for weight in weights]
started = time.time()
values = {name: float(value) for name, value in tf.function(drae.train_step)(
    {name: tf.constant(value) for name, value in batch.items()}).items()}
print(json.dumps({
    "values": values,
    "moved": [bool(np.any(weight.numpy() != old)) for weight, old in zip(weights, before)],
    "parameters": sum(int(np.prod(weight.shape)) for weight in drae.weights),
    "seconds": time.time() - started,
    "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
}))
"""


@pytest.mark.slow
def test_one_step_of_one_patch() -> None:
    with Path("/proc/meminfo").open() as stream:
        available = next(int(line.split()[1]) for line in stream if line.startswith("MemAvailable")) / 1e6
    if available < 16:
        pytest.skip(f"needs 16 GB of free memory, {available:.0f} GB are")
    done = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    # The counts that test_networks derives by hand.
    assert found["parameters"] == 2 * 123_999_040 + 134_750_849 + 107_483_905
    assert found["moved"] == [True, True]
    # Discriminator and SSIM of a network that knows nothing; nothing has overflowed.
    assert 0.2 < found["values"]["discriminator"] < 20
    assert 0.1 < found["values"]["contextual"] < 3
    assert found["peak_gb"] < 20
