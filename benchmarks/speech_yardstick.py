"""What a classical method makes of a speaker it never heard: a support vector machine over cepstra stretched to one length.

    python benchmarks/speech_yardstick.py [--speakers george,lucas]

Free Spoken Digit Dataset, 500 digits of each speaker, learnt from the other five. Frames are those of `--config unheard`: 24 bands from 100
to 3,700 Hz, the voice alone (15 dB), 35 dB deep, each recording's mean taken out; 14 cepstra, 20 frames, and each recording twice more with
its bands warped by up to a fifth. scikit-learn's SVC (RBF, C=5, gamma one over the features), nothing tuned on the speaker left out.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import torch
from jaxtyping import Float
from sklearn.svm import SVC
from torch import Tensor
from torch.nn.functional import interpolate

from heedful.data.audio.logmel import log_mel
from heedful.data.audio.recordings import Recordings
from heedful.data.audio.sources import load_speech
from heedful.data.audio.vary import warped
from heedful.models.speech.levels import cut, floored, voiced
from heedful.spec.audio import FrameSpec, SpeechDataSpec

FRAMES = FrameSpec(bands=24, low=100.0, high=3700.0)
QUIET, DEPTH, CEPSTRA, LENGTH, WARP = 15.0, 35.0, 14, 20, 0.2


def features(some: Recordings, factors: Float[Tensor, " n"]) -> Float[Tensor, "n f"]:
    """Every recording as so many cepstra of so many frames."""
    turn = torch.cos(math.pi / FRAMES.bands * torch.outer(torch.arange(FRAMES.bands) + 0.5, torch.arange(CEPSTRA).float()))
    found = []
    for place, factor in enumerate(factors):
        x = log_mel(some.utterance(place).wave[None], FRAMES)
        x = warped(floored(x, torch.tensor([x.shape[1]]), DEPTH), factor.view(1, 1))
        voice = cut(x, *voiced(x, torch.tensor([x.shape[1]]), QUIET))
        cepstra = (voice - voice.mean(1, keepdim=True)) @ turn
        found.append(interpolate(cepstra.transpose(1, 2), size=LENGTH, mode="linear", align_corners=True).flatten())
    return torch.stack(found)


def main() -> None:
    """Read the command line and print a row a speaker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    some = load_speech(SpeechDataSpec("fsdd", frames=FRAMES)).part("whole")
    speakers, texts = np.array(some.speakers), np.array(some.texts)
    plain = features(some, torch.ones(len(some))).numpy()
    varied = [features(some, 1 + WARP * (2 * torch.rand(len(some)) - 1)).numpy() for _ in range(2)]
    scores = []
    for speaker in asked.speakers.split(",") if asked.speakers else sorted(set(some.speakers)):
        known, heard = speakers != speaker, speakers == speaker
        x = np.concatenate([plain[known], *(each[known] for each in varied)])
        mean, spread = x.mean(0), x.std(0) + 1e-3
        machine = SVC(C=5, gamma=1 / x.shape[1]).fit((x - mean) / spread, np.tile(texts[known], 3))
        scores.append(float((machine.predict((plain[heard] - mean) / spread) == texts[heard]).mean()))
        print(f"{speaker:9s} {scores[-1]:8.1%}", flush=True)
    print(f"mean      {sum(scores) / len(scores):8.1%}")


if __name__ == "__main__":
    main()
