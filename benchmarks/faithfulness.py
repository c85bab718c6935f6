"""How true explanations of a run are to it, how far the default comes towards full leave-one-out, and what each method costs.

    python benchmarks/faithfulness.py RUN [--data D] [--split test] [--limit 60]
    python benchmarks/faithfulness.py RUN --rationales --limit 400       # a run on toxic-spans, beside what readers marked
    python benchmarks/faithfulness.py RUN --times                        # milliseconds and forward passes alone

The gap: comprehensiveness of the default less that of raw attention, as a share of what full leave-one-out (occlusion) gains over raw
attention; its 95% interval by drawing texts anew. Times are of one text as long as the texts compared, the best of several.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from heedful.cli.compared import LEGEND, table
from heedful.data.labelled.toxic_spans import marked as sentences
from heedful.data.sources import data_home
from heedful.data.tokens.offsets import offsets
from heedful.explanations.faithfulness.comparison import Comparison, Protocol, compared
from heedful.explanations.faithfulness.interval import interval, paired
from heedful.explanations.methods.chance import Chance
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.table import find_method
from heedful.explanations.plausibility import average_precision, best_threshold, iou_f1, marked, token_f1
from heedful.explanations.subject import Subject
from heedful.tasks.classify.loading import LoadedClassifier, load_classifier
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.comparing import chosen
from heedful.tasks.explained.makers import maker_of
from heedful.tasks.explained.standings import record_of
from heedful.tasks.explained.subjects import of_classifier

MARKING = (
    "measured",
    "quick",
    "gim",
    "input_gradient",
    "integrated_gradients",
    "relevance",
    "value_norms",
    "rollout",
    "attention",
    "occlusion",
)

TIMED = ("quick", "measured", "gim", "occlusion")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--methods", default="")
    parser.add_argument("--bounded", type=int, default=8)
    parser.add_argument("--sane", type=int, default=8)
    parser.add_argument("--rationales", action="store_true")
    parser.add_argument("--times", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.times:
        timed(list(maker_of("classify")(asked.run, Asking(asked.data, asked.split, min(asked.limit, 9))).subjects))
    elif asked.rationales:
        plausible(load_classifier(asked.run), asked.limit, [find_method(name) for name in asked.methods.split(",") if name] or None)
    else:
        faithful(
            asked.run, Asking(asked.data, asked.split, asked.limit, methods=asked.methods), Protocol(bounded=asked.bounded, sane=asked.sane)
        )


def faithful(run: Path, asking: Asking, protocol: Protocol) -> None:
    """The table of `heedful explain --compare`, the gap, and the times."""
    from rich.console import Console

    sample = maker_of("classify")(run, asking)
    subjects = list(sample.subjects)
    found = compared(subjects, chosen(asking.names), sample.data, protocol)
    console = Console(width=140)
    console.print(table(record_of(found, sample.model)))
    for name, reason in found.skipped.items():
        print(f"{name} left out: {reason}")
    print(LEGEND)
    closed(found)
    timed(subjects)


def closed(found: Comparison) -> None:
    """How much of the gap between raw attention and full leave-one-out each method closes."""
    values = {line.method.name: line.means(lambda curve: curve.comprehensiveness) for line in found.lines}
    if not {"attention", "occlusion"} <= values.keys():
        return
    low, high = torch.tensor(values["attention"]), torch.tensor(values["occlusion"])
    draws = torch.randint(len(low), (4000, len(low)), generator=torch.Generator().manual_seed(0))
    for name in ("quick", "measured", "gim"):
        if name in values:
            ours = torch.tensor(values[name])
            shares = ((ours - low)[draws].mean(1) / (high - low)[draws].mean(1)).double()
            ends = shares.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
            gain = paired(values[name], values["attention"])
            share = float((ours - low).mean() / (high - low).mean())
            print(
                f"{name} closes {share:.0%} (95%: {ends[0]:.0%} to {ends[1]:.0%}) of raw attention's gap to leave-one-out; "
                f"above attention by {gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
            )


def timed(subjects: Sequence[Subject]) -> None:
    """Milliseconds of one text, and the ratio to its prediction."""
    subject = sorted(subjects, key=lambda each: each.count)[len(subjects) // 2]
    predict = best(lambda: subject.scored(subject.whole()))
    rows = [
        f"{method.name} {best(partial(method.scores, subject)) / predict:.1f} ({method.passes(subject)} passes)"
        for method in map(find_method, TIMED)
    ]
    print(f"a text of {subject.count} units, predicted in {1000 * predict:.1f} ms; times that: {', '.join(rows)}")


def best(of: Callable[[], object], tries: int = 5) -> float:
    """Seconds, the least of several."""
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        of()
        times.append(time.perf_counter() - start)
    return min(times)


def plausible(loaded: LoadedClassifier, limit: int, methods: list[Method] | None) -> None:
    """Agreement with what readers marked: thresholds from the validation part, figures of the test part."""
    home = data_home() / "toxic-spans"
    validation, test = ([*gathered(loaded, home, part, limit)] for part in ("validation", "test"))
    print(f"{len(test)} test sentences that readers marked; thresholds from {len(validation)} validation sentences")
    print("method                 average precision (95%)     token F1   span F1 (IOU >= .5)")
    for method in [*(methods or [find_method(name) for name in MARKING]), Chance()]:
        known = [(method.scores(subject), truth) for subject, truth in validation]
        share = best_threshold([scores for scores, _ in known], [truth for _, truth in known])
        found = [(method.scores(subject), truth) for subject, truth in test]
        precision = interval([value for value in (average_precision(*each) for each in found) if value is not None])
        tokens = sum(token_f1(marked(scores, share), truth) for scores, truth in found) / len(found)
        spans = sum(iou_f1(marked(scores, share), truth) for scores, truth in found) / len(found)
        print(f"{method.name:22} {precision.mean:.3f} ({precision.low:.3f} to {precision.high:.3f})     {tokens:.3f}      {spans:.3f}")


def gathered(loaded: LoadedClassifier, home: Path, part: str, limit: int) -> list[tuple[Subject, torch.Tensor]]:
    """Sentences with a marked span, as subjects asked for the class toxic, and which of their tokens were marked."""
    found = []
    for sentence in sentences(home, part):
        text = sentence.text.lower() if loaded.spec.texts.lowercase else sentence.text
        ids = loaded.tokenizer.encode(text)
        if not sentence.marks or len(text) != len(sentence.text) or not 2 <= len(ids) <= loaded.model.context:
            continue
        truth = torch.tensor([any(first <= at < end for at in sentence.marks) for first, end in offsets(loaded.tokenizer, text)])
        if bool(truth.all()):
            continue  # every order of such a sentence is perfect
        found.append((of_classifier(loaded.model, ids, loaded.tokenizer, "toxic", None), truth))
    return found[:: max(1, len(found) // limit)][:limit]


if __name__ == "__main__":
    main()
