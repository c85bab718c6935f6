"""What the simulated readers and their items are like: every number with its meaning and where it comes from.

[fit] numbers are rounded from what `python benchmarks/diet_world.py --fit` prints of real logs; [source] ones follow a paper;
[assumed] ones are ours, and the benchmark's sensitivity table says how much hangs on the main ones. Worth is counted in minutes
well spent: a minute of worth 1 is a minute the reader would call worth it, of -1 one that is regretted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from heedful.errors import UsageError


@dataclass(frozen=True)
class Parameters:
    """One simulated world; all worths are a minute, all spreads standard deviations, all logits natural."""

    # a day's items
    candidates: int = 80  # items that arrive a day [assumed: what 40 to 60 feeds bring]
    topics: int = 12  # [assumed]
    topic_skew: float = 0.8  # exponent of Zipf's law over topics [fit: AllSides, first 12 topics]
    sources: int = 20  # [assumed]
    source_skew: float = 0.6  # exponent over sources: loud and quiet ones [fit: AllSides, first 20 sources]
    views: int = 3  # viewpoints; one a source [fit: AllSides, a source keeps to one]
    stories: int = 6  # stories a topic a day; items tell one of them [assumed]
    minutes_log_mean: float = 1.26  # of an item's minutes at 238 words a minute (Brysbaert 2019) [fit: AllSides]
    minutes_log_spread: float = 0.55  # [fit: AllSides]
    quality: float = 0.4  # of items around their source [fit: MovieLens, spread of films]
    source_quality: float = 0.2  # of sources [assumed: a quarter of the variance of items]
    quality_seen: float = 0.4  # error of the quality that can be seen before reading [assumed: as large as the spread itself]
    lure: float = 0.35  # share of headlines that promise more than the item holds [assumed]
    lure_cost: float = 0.4  # worth lost by a headline that promises one unit more [assumed]
    lure_seen: float = 0.3  # error of the lure that can be seen before reading [assumed]

    # readers
    base: float = -0.2  # worth of an average item to an average reader [assumed: most of what arrives is not worth it]
    interest: float = 0.35  # of readers in a topic [fit: MovieLens; the widest genres, for a film rated is a film chosen]
    view: float = 0.15  # of readers in a viewpoint [assumed]
    drift: float = 0.2  # of an interest around its own mean [fit: MovieLens, .66 of what stays, error .2; here .57]
    drift_days: float = 20.0  # days after which a drift has halved [assumed: MovieLens says 6, and cannot tell 3 from 200]
    curiosity: float = 0.2  # mean worth of a topic not read lately [assumed]
    curious_days: float = 7.0  # days after which a topic is half new again [assumed]
    satiation: float = 0.05  # worth lost a recent minute on the topic [form: Leqi et al. 2021; size assumed]
    satiation_days: float = 1.0  # days after which minutes count half as recent [assumed]
    again: float = 0.6  # worth lost by a story that was read already today [assumed]
    tired: float = 0.2  # worth lost from the first minute of the day to the last [assumed]
    length: float = 0.85  # worth grows as minutes ** length [assumed: what matters is said first, as news is written]

    # what they do
    open_base: float = 1.0  # logit of opening an item of worth 0 in an edition one asked for [assumed]
    open_interest: float = 1.3  # logits a unit of worth that can be seen [fit: MovieLens, shares of genres watched]
    open_lure: float = 1.0  # logits a unit of lure, mean over readers [assumed]
    open_place: float = 0.0  # logits lost a place down the edition [fit: Open Bandit, -0.08 with error 0.13]
    finish_base: float = 1.0  # logit of finishing an item of worth 0 [assumed]
    finish_worth: float = 1.5  # logits a unit of worth [assumed]
    rates: float = 0.5  # share of opened items that are rated "worth it" or not, by one key [assumed]
    rating_noise: float = 0.8  # of a rating [fit: MovieLens, what is left of ratings]
    saves_base: float = -3.0  # logit of saving a finished item of worth 0 [assumed]
    saves_worth: float = 2.0  # logits a unit of worth [assumed]
    revisits: float = 0.5  # chance that what was saved is read again the next day [assumed]
    delayed: float = 0.5  # worth of a revisit, as a share of the first reading [assumed]
    rates_later: float = 0.15  # share of opened items that are rated the next day, when lures have worn off [assumed]

    # coming back
    back_base: float = 2.0  # logit of coming back tomorrow [assumed]
    back_worth: float = 2.0  # logits a unit of worth a minute of the last days [assumed]
    memory_days: float = 3.0  # days after which a day weighs half [assumed]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, int) and value < 1:
                raise UsageError(f"a world of {value} {name}: one or more would work")
            if not abs(value) < float("inf"):
                raise UsageError(f"{name} is {value}: a finite number would work")
