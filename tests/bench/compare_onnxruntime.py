#!/usr/bin/env python3
"""Shoal's session against ONNX Runtime, in turns, on the same machine.

    tests/bench/compare_onnxruntime.py [--models resnet50 ...] [--threads 1 2] [--batches 1 8]

Builds the models of the zoo with seeded weights, gives both the same inputs, checks that the outputs
agree, and lets them run in turns of a fraction of a second each: whatever else the machine does meets
both. A ratio above 1 says that Shoal is faster. "wall" is the ratio of the medians of all runs, with
the quartiles of the ratios of single turns; "CPU" the same for the CPU time of the process, which
hardly depends on who else uses the machine and with one thread is the better measure there.

ONNX Runtime comes from PyPI into a virtual environment, made on the first call. Shoal has to be
built: ninja -C build/release make_zoo told_session_bench.
"""

import argparse
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = {
    "resnet50": 224,
    "mobilenet_v2": 224,
    "squeezenet": 224,
    "esrgan_slim": 256,
    "bert_base": 128,
}


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--environment", type=pathlib.Path, help="default: BUILD/onnxruntime")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--seconds", type=float, default=10, help="per case, both sides together")
    parser.add_argument("--json", type=pathlib.Path, help="where to write all that was measured")
    parser.add_argument("--no-load", action="store_true", help="leave out load times and memory")
    return parser.parse_args()


def enter_environment(where):
    """Starts this program again with the Python that has ONNX Runtime."""
    python = where / "bin/python"
    if not python.exists():
        print(f"installing onnxruntime into {where}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", where], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "onnxruntime", "numpy"], check=True)
    if pathlib.Path(sys.prefix).resolve() != where.resolve():
        os.execv(python, [python, *sys.argv])


class Shoal:
    """A session in a process of its own."""

    def __init__(self, build, model, threads, inputs):
        command = [build / "tests/bench/told_session_bench", model, str(threads), *inputs]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.load = float(self._line().split()[1])

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"Shoal ended with {self.process.wait()}")
        return line

    def ask(self, command):
        print(command, file=self.process.stdin, flush=True)
        return self._line().split()

    def run(self, count):
        numbers = [float(word) for word in self.ask(f"run {count}")]
        return list(zip(numbers[::2], numbers[1::2]))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class OnnxRuntime:
    """A session in this process."""

    def __init__(self, model, threads, inputs):
        import numpy
        import onnxruntime

        begin = time.perf_counter()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.load = time.perf_counter() - begin
        self.inputs = {
            slot.name: numpy.load(file) for slot, file in zip(self.session.get_inputs(), inputs)
        }
        self.outputs = []

    def run(self, count):
        times = []
        for _ in range(count):
            wall, cpu = time.perf_counter(), time.process_time()
            self.outputs = self.session.run(None, self.inputs)
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
        return times


def make_model(build, folder, name):
    path = folder / f"{name}.onnx"
    if not path.exists():
        subprocess.run([build / "tests/make_zoo", name, path], check=True)
    return path


def make_inputs(folder, name, batch):
    import numpy

    random = numpy.random.default_rng(batch)
    size = MODELS[name]
    if name == "bert_base":
        ids = random.integers(0, 30000, (batch, size))
        mask = numpy.ones((batch, size), numpy.int64)
        mask[:, size - size // 8 :] = 0
        tensors = [ids, mask, numpy.zeros((batch, size), numpy.int64)]
    else:
        tensors = [random.uniform(-1, 1, (batch, 3, size, size)).astype(numpy.float32)]
    paths = [folder / f"{name}-{batch}-{i}.npy" for i in range(len(tensors))]
    for path, tensor in zip(paths, tensors):
        numpy.save(path, tensor)
    return paths


def difference(shoal, other, folder):
    """The largest difference of any output, as a part of the largest value of that output."""
    import numpy

    shoal.ask(f"save {folder}/output")
    worst = 0.0
    for i, wanted in enumerate(other.outputs):
        got = numpy.load(folder / f"output{i}.npy")
        if got.shape != wanted.shape:
            sys.exit(f"output {i} has shape {got.shape}, expected {wanted.shape}")
        worst = max(worst, float(numpy.abs(got - wanted).max() / numpy.abs(wanted).max()))
    return worst


def turn(side, count):
    """Runs of one turn. The other side's threads may still spin at first."""
    time.sleep(0.02)
    side.run(1)
    return side.run(count)


def ratio(shoal, other, which):
    """Ratio of the medians, and the quartiles of the ratios turn by turn."""

    def middle(turns):
        return statistics.median(run[which] for runs in turns for run in runs)

    single = [middle([theirs]) / middle([ours]) for ours, theirs in zip(shoal, other)]
    low, _, high = statistics.quantiles(single, n=4)
    return middle(other) / middle(shoal), low, high


def measure(arguments, folder, name, threads, batch):
    model = make_model(arguments.build, folder, name)
    inputs = make_inputs(folder, name, batch)
    shoal = Shoal(arguments.build, model, threads, inputs)
    other = OnnxRuntime(model, threads, inputs)
    shoal.run(2)
    one = statistics.median(run[0] for run in other.run(3)[1:])
    apart = difference(shoal, other, folder)
    if not apart < 1e-3:
        sys.exit(f"{name}: the outputs differ by {apart:.1e} of the largest")
    count = max(1, round(0.15 / one))
    turns = max(5, round(arguments.seconds / (2 * (count + 1) * one)))
    ours, theirs = [], []
    for i in range(turns):
        first, second = ((shoal, ours), (other, theirs))[:: 1 if i % 2 else -1]
        for side, into in (first, second):
            into.append(turn(side, count))
    shoal.close()
    result = {"model": name, "threads": threads, "batch": batch, "difference": apart, "turns": turns}
    result["shoal_ms"] = 1e3 * statistics.median(run[0] for runs in ours for run in runs)
    result["onnxruntime_ms"] = 1e3 * statistics.median(run[0] for runs in theirs for run in runs)
    result["wall"] = ratio(ours, theirs, 0)
    result["cpu"] = ratio(ours, theirs, 1)
    return result


def print_case(case):
    def text(three):
        return f"{three[0]:5.2f} ({three[1]:.2f} to {three[2]:.2f})"

    print(
        f"{case['model']:<13} {case['threads']:>7} {case['batch']:>5} {case['shoal_ms']:>10.2f}"
        f" {case['onnxruntime_ms']:>10.2f}   {text(case['wall'])}   {text(case['cpu'])}"
        f"   {case['difference']:.0e}",
        flush=True,
    )


def load_once(model, threads, inputs):
    """Loads and runs a model once with ONNX Runtime, in a fresh process; prints what Shoal's says."""

    def status(key):
        for line in open("/proc/self/status"):
            if line.startswith(key):
                return line.split()[1]

    import numpy
    import onnxruntime  # noqa: F401: it is no part of loading a model

    [numpy.load(file) for file in inputs]
    resident = status("VmRSS:")
    other = OnnxRuntime(model, int(threads), inputs)
    other.run(1)
    print(other.load, resident, status("VmHWM:"))


def measure_load(arguments, folder):
    """Load time and peak memory of fresh processes, those of an idle process taken off."""
    print("\nloading a model and running it once, 1 thread, batch 1, medians of 5 fresh processes")
    print("first: the first load ever, which measures what Shoal then keeps in its cache folder")
    print(f"{'model':<13} {'first':>8} {'load, s':>17} {'peak memory, MiB':>21}   ratios, Shoal by ONNX Runtime")
    cases = []
    for name in arguments.models:
        model = make_model(arguments.build, folder, name)
        inputs = make_inputs(folder, name, 1)
        ours, theirs = [], []
        cache = folder / f"cache of {name}"
        shutil.rmtree(cache, ignore_errors=True)
        os.environ["XDG_CACHE_HOME"] = str(cache)
        first = Shoal(arguments.build, model, 1, inputs)
        first.close()
        for _ in range(5):
            model.read_bytes()  # neither side is to wait for the disk
            shoal = Shoal(arguments.build, model, 1, inputs)
            shoal.run(1)
            start, peak = map(int, shoal.ask("memory"))
            shoal.close()
            ours.append((shoal.load, (peak - start) / 1024))
            command = [sys.executable, __file__, "--load-once", model, "1", *inputs]
            model.read_bytes()
            words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            theirs.append((float(words[0]), (int(words[2]) - int(words[1])) / 1024))
        load, memory = ([statistics.median(run[i] for run in side) for side in (ours, theirs)] for i in (0, 1))
        print(
            f"{name:<13} {first.load:>8.3f} {load[0]:>8.3f} {load[1]:>8.3f} {memory[0]:>10.1f} {memory[1]:>10.1f}"
            f"   {load[0] / load[1]:.2f} {memory[0] / memory[1]:.2f}",
            flush=True,
        )
        cases.append({"model": name, "first_load_s": first.load, "load_s": load, "peak_mib": memory})
    return cases


def main():
    if sys.argv[1:2] == ["--load-once"]:
        return load_once(sys.argv[2], sys.argv[3], sys.argv[4:])
    arguments = read_arguments()
    enter_environment(arguments.environment or arguments.build / "onnxruntime")
    import onnxruntime

    folder = arguments.build / "bench"
    folder.mkdir(exist_ok=True)
    print(f"ONNX Runtime {onnxruntime.__version__}; load average {os.getloadavg()[0]:.1f}")
    print(f"{'':<13} {'':>7} {'':>5} {'Shoal':>10} {'ONNX R.':>10}   ratio, quartiles of single turns")
    print(
        f"{'model':<13} {'threads':>7} {'batch':>5} {'ms':>10} {'ms':>10}   {'wall':<20}   {'CPU':<20}   apart"
    )
    cases = []
    for name in arguments.models:
        for threads in arguments.threads:
            for batch in arguments.batches:
                cases.append(measure(arguments, folder, name, threads, batch))
                print_case(cases[-1])
    for kind in ("wall", "cpu"):
        mean = math.exp(statistics.fmean(math.log(case[kind][0]) for case in cases))
        print(f"geometric mean of {len(cases)} cases, {kind}: {mean:.3f}")
    print(f"load average {os.getloadavg()[0]:.1f}")
    loads = [] if arguments.no_load else measure_load(arguments, folder)
    if arguments.json:
        arguments.json.write_text(json.dumps({"cases": cases, "load": loads}, indent=1))


if __name__ == "__main__":
    main()
