"""The bank's term-deposit calls: when each was made, and which columns and months serve what.

The months follow one story. The model is developed on calls up to April 2009, tested once on
May 2009, and serves from June 2009 on, when the crisis has changed both callers and rates.
"""

import numpy as np
import pandas as pd

from pipeline.ml.features import FeatureSet
from pipeline.ml.problems import DataProblem
from pipeline.ml.splits import Block, Blocks, recent_blocks
from pipeline.ml.tables import TableSpec

FIRST_YEAR = 2008
MONTH_NUMBERS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
PERIOD = "period"
TARGET, POSITIVE = "y", "yes"
# Known only after the call has ended, so unknown when the model decides whom to call.
LEAKS = ("duration",)
MACRO = ("emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed")
SPEC = TableSpec(
    separator=";",
    numeric=("age", "duration", "campaign", "pdays", "previous", *MACRO),
    target=TARGET,
    positive=POSITIVE,
)

# Euribor is watched, not used: in the training months it takes three plateaus, so a model reads
# it as a calendar, and the probabilities it promises for May 2009 are far too high.
FEATURES = FeatureSet(
    numeric=("age", "campaign", "pdays", "previous"),
    categorical=(
        "job",
        "marital",
        "education",
        "default",
        "housing",
        "loan",
        "contact",
        "day_of_week",
        "poutcome",
    ),
    context=("euribor3m",),
)
# What a team copies from a tutorial: every column, and with `duration` even the leak.
EVERYTHING = FEATURES.plus(numeric=MACRO, categorical=("month",))
WITH_LEAK = EVERYTHING.plus(numeric=LEAKS)
WITH_EURIBOR = FEATURES.plus(numeric=("euribor3m",))

TRAIN = Block("2008-05", "2008-12")
VALIDATION = Block("2009-03", "2009-04")
TEST = Block("2009-05", "2009-05")
BLOCKS = Blocks(train=TRAIN, validation=VALIDATION, test=TEST)
# What the deployed model sees: three windows of six months, with labels that arrive late.
TRAFFIC = Block("2009-06", "2010-11")
WINDOWS = (
    Block("2009-06", "2009-11"),
    Block("2009-12", "2010-05"),
    Block("2010-06", "2010-11"),
)
# A candidate learns from the year before the latest half-year and is compared on the latter.
RETRAINING = recent_blocks(TRAFFIC.last, train_months=12, test_months=6)


def with_periods(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with a last column `period`, YYYY-MM, derived from the order of the rows.

    The file names months but no years; it is in the order of time, so the year grows by one
    whenever the month goes backwards.
    """
    months = frame["month"].map(MONTH_NUMBERS)
    if months.isna().any():
        row = int(np.argmax(months.isna().to_numpy()))
        raise DataProblem(
            "unknown_month",
            f"Row {row + 1} names the month {frame['month'].iloc[row]!r}; use jan, feb ... dec.",
            details={"row": row + 1},
        )
    numbers = months.to_numpy(dtype=np.int64)
    years = FIRST_YEAR + np.concatenate([[0], np.cumsum(np.diff(numbers) < 0)])
    names = [f"{year}-{month:02d}" for year, month in zip(years, numbers, strict=True)]
    return frame.assign(**{PERIOD: names})


def event_times(frame: pd.DataFrame) -> pd.DatetimeIndex:
    """Return when each call happened, UTC, shape (rows,): rows spread evenly over their month.

    The day is not in the file; the order within the month is, and is kept.
    """
    start = pd.to_datetime(frame[PERIOD] + "-01", utc=True)
    end = start + pd.offsets.MonthBegin(1)
    groups = frame.groupby(PERIOD)[PERIOD]
    share = groups.cumcount() / groups.transform("size")
    return pd.DatetimeIndex(start + (end - start) * share).floor("s")
