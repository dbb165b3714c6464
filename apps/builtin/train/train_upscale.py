#!/usr/bin/python3
"""Trains, exports and evaluates the built-in x2 super-resolution model.

    ./train_upscale.py fetch                  download the photographs (Debian packages, 190 MB)
    ./train_upscale.py train                  train; stop it at any time, start it again to go on
    ./train_upscale.py export                 write the latest checkpoint to ../upscale_x2.onnx
    ./train_upscale.py evaluate               PSNR of ../upscale_x2.onnx on the photographs it never saw
    ./train_upscale.py photo                  write ../photo.png: the held-out astronaut at half its size
    ./train_upscale.py upscale IN.png OUT.png run ../upscale_x2.onnx on a picture

README.md beside this file says what to install, how long it takes and what comes out.
"""

import argparse
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import photos
from network import Upscaler, read_onnx, write_onnx

HERE = Path(__file__).resolve().parent
BORDER = 4  # pixels of the large picture left out of the PSNR on every side, as is customary for x2


def to_tensor(picture):
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255


def to_picture(tensor):
    return Image.fromarray((tensor[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy())


def upscaled(net, picture):
    """What the ONNX graph computes, its clipping included, rounded to 8 bits."""
    with torch.no_grad():
        return to_picture(net(to_tensor(picture)).clamp(0, 1))


def psnr(a, b):
    """In dB, over the three colour channels together, of 8-bit pictures."""
    a, b = (np.asarray(p, np.float64)[BORDER:-BORDER, BORDER:-BORDER] for p in (a, b))
    return 10 * math.log10(255**2 / np.mean((a - b) ** 2))


class Crops:
    """Random batches of aligned, flipped and turned crops."""

    def __init__(self, pairs, size, rng):
        self.pairs, self.size, self.rng = pairs, size, rng

    def place(self):
        low, high = self.rng.choice(self.pairs)
        y = self.rng.randint(0, low.shape[0] - self.size)
        x = self.rng.randint(0, low.shape[1] - self.size)
        return (low[y:y + self.size, x:x + self.size],
                high[2 * y:2 * (y + self.size), 2 * x:2 * (x + self.size)])

    def crop(self):
        # Most of many photographs is sky or blur, which bilinear upscaling gets right already: of two places
        # take the one with more detail.
        low, high = max(self.place(), self.place(), key=lambda pair: detail(pair[0]))
        turns, mirror = self.rng.randrange(4), self.rng.randrange(2)
        return [np.rot90(p[:, ::-1] if mirror else p, turns) for p in (low, high)]

    def batch(self, count):
        low, high = zip(*(self.crop() for _ in range(count)))
        return [torch.from_numpy(np.stack(p)).permute(0, 3, 1, 2).float() / 255 for p in (low, high)]


def detail(picture):
    green = picture[:, :, 1].astype(np.int16)
    return np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean()


def learning_rate(peak, progress):
    """A short linear rise, then half a cosine down to zero; progress in [0,1]."""
    rise = 0.02
    if progress < rise:
        return peak * progress / rise
    return peak * (1 + math.cos(math.pi * (progress - rise) / (1 - rise))) / 2


def train(args):
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    rng = random.Random(args.seed)
    net, average = Upscaler(), Upscaler()
    average.load_state_dict(net.state_dict())
    adam = torch.optim.Adam(net.parameters(), betas=(0.9, 0.99))
    step, minutes = 0, 0.0
    if args.checkpoint.exists():
        saved = torch.load(args.checkpoint)
        net.load_state_dict(saved["net"])
        average.load_state_dict(saved["average"])
        adam.load_state_dict(saved["adam"])
        rng.setstate(saved["rng"])
        step, minutes = saved["step"], saved["minutes"]
    crops = Crops(photos.training_pairs(args.photos), args.crop, rng)
    print(f"{len(crops.pairs)} pictures, {sum(p.numel() for p in net.parameters())} weights, step {step}", flush=True)

    start, earlier, losses = time.monotonic(), minutes, []
    progress = 0.0
    while progress < 1:
        minutes = earlier + (time.monotonic() - start) / 60
        progress = min(1, max((step + 1) / args.steps, minutes / args.minutes))
        for group in adam.param_groups:
            group["lr"] = learning_rate(args.rate, progress)
        low, high = crops.batch(args.batch)
        loss = (net(low) - high).abs().mean()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        step += 1
        # Early weights are forgotten quickly, late ones averaged over a thousand steps.
        keep = min(0.999, step / (step + 10))
        with torch.no_grad():
            for mean, now in zip(average.parameters(), net.parameters()):
                mean.lerp_(now, 1 - keep)
        losses.append(loss.item())
        if step % args.every == 0 or progress == 1:
            print(f"step {step}  {minutes:.1f} min  L1 {np.mean(losses):.5f}", flush=True)
            losses.clear()
            save(args.checkpoint, {"net": net.state_dict(), "average": average.state_dict(), "adam": adam.state_dict(),
                                   "rng": rng.getstate(), "step": step, "minutes": minutes})


def save(path, state):
    """Leaves either the old checkpoint or the new one, whenever it is interrupted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def export(args):
    net = Upscaler()
    saved = torch.load(args.checkpoint)
    net.load_state_dict(saved["average"])
    write_onnx(net, args.model)
    print(f"{args.model}: step {saved['step']}, {args.model.stat().st_size} bytes")


def evaluate(args):
    net = read_onnx(args.model)
    rows = []
    print("| photograph | size | bicubic | model | gain |\n| --- | --- | --- | --- | --- |")
    for name, low, high in photos.held_out(args.photos):
        bicubic = psnr(low.resize(high.size, Image.BICUBIC), high)
        model = psnr(upscaled(net, low), high)
        rows.append((bicubic, model))
        print(f"| {name} | {high.width}x{high.height} | {bicubic:.2f} | {model:.2f} | {model - bicubic:+.2f} |")
    bicubic, model = np.mean(rows, axis=0)
    print(f"| **mean** | | {bicubic:.2f} | {model:.2f} | {model - bicubic:+.2f} |")


def photo(args):
    low = next(low for name, low, _ in photos.held_out(args.photos) if name == "astronaut")
    low.save(HERE.parent / "photo.png", optimize=True)


def upscale(args):
    upscaled(read_onnx(args.model), Image.open(args.input).convert("RGB")).save(args.output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name, run):
        sub = commands.add_parser(name, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        sub.set_defaults(run=run)
        sub.add_argument("--photos", type=Path, default=Path("build/photos"), help="folder of unpacked packages")
        sub.add_argument("--checkpoint", type=Path, default=Path("build/upscale_x2.pt"), help="training state")
        sub.add_argument("--model", type=Path, default=HERE.parent / "upscale_x2.onnx", help="the ONNX file")
        return sub

    command("fetch", lambda args: photos.fetch(args.photos))
    sub = command("train", train)
    sub.add_argument("--seed", type=int, default=1, help="of weights and crops")
    sub.add_argument("--steps", type=int, default=44000, help="length of the learning-rate schedule")
    sub.add_argument("--minutes", type=float, default=40, help="ends the schedule earlier on a slow machine")
    sub.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    sub.add_argument("--batch", type=int, default=16, help="crops in a step")
    sub.add_argument("--crop", type=int, default=40, help="side of a low-resolution crop")
    sub.add_argument("--threads", type=int, default=2)
    sub.add_argument("--every", type=int, default=200, help="steps between checkpoints")
    command("export", export)
    command("evaluate", evaluate)
    command("photo", photo)
    sub = command("upscale", upscale)
    sub.add_argument("input", type=Path)
    sub.add_argument("output", type=Path)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
