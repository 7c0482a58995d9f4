import re
from html import escape

import numpy as np
import pytest

from pipeline.ml import bank, plots
from pipeline.ml.drift import measure_drift
from pipeline.ml.eda import Exploration, explore, univariate_auc
from pipeline.ml.evaluation import compare
from pipeline.ml.problems import DataProblem
from pipeline.ml.profile import reference_profile
from pipeline.ml.tables import target_array

LOOK = Exploration("bought", "yes", "period")


def scores_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    target = random.integers(0, 2, 400)
    return target, np.clip(0.3 * target + random.uniform(0, 0.7, 400), 0, 1)


def draw_all(small):
    target, scores = scores_of(1)
    other = scores_of(2)[1]
    named = {"champion": scores, "challenger": other}
    profile = reference_profile(small[["income", "kind"]])
    drift = measure_drift(small.assign(income=small["income"] + 5), profile)
    return {
        "roc": plots.roc_curve_picture(target, named),
        "calibration": plots.calibration_picture(target, named),
        "lift": plots.lift_picture(target, named),
        "comparison": plots.comparison_picture(compare(target, scores, other)),
        "drift": plots.drift_picture(drift, 0.2),
        "performance": plots.performance_picture("roc_auc", {"a": 0.7, "b": None, "c": 0.5}, 0.6),
        **explore(small, LOOK).pictures,
    }


@pytest.fixture(scope="module")
def pictures(small):
    return draw_all(small)


@pytest.mark.slow
def test_the_same_numbers_are_the_same_bytes(small, pictures):
    again = draw_all(small)
    assert {name: one.svg for name, one in again.items()} == {
        name: one.svg for name, one in pictures.items()
    }


def test_every_picture_is_named_described_and_tabulated(pictures):
    for picture in pictures.values():
        text = picture.svg.decode()
        marks = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', text)
        assert marks
        first = text[text.index(">") + 1 :].strip()
        assert first.startswith(f'<title id="{marks[1]}">{escape(picture.title)}</title>')
        assert f'<desc id="{marks[2]}">{escape(picture.description)}</desc>' in first
        assert picture.table


def test_no_picture_needs_what_a_strict_policy_blocks(pictures):
    for picture in pictures.values():
        assert not re.search(rb"style=|<style|<script|<image|data:|@import", picture.svg)


def test_pictures_share_no_ids_on_one_page(pictures):
    ids = [re.findall(rb'\bid="([^"]+)"', picture.svg) for picture in pictures.values()]
    flat = [one for found in ids for one in found]
    assert len(flat) == len(set(flat))


def test_every_reference_inside_a_picture_has_its_target(pictures):
    for picture in pictures.values():
        ids = set(re.findall(rb'\bid="([^"]+)"', picture.svg))
        used = set(re.findall(rb'href="#([^"]+)"|url\(#([^)]+)\)', picture.svg))
        assert {a or b for a, b in used} <= ids


def test_the_tables_hold_the_numbers(pictures):
    drift = {row["feature"]: row for row in pictures["drift"].table}
    assert drift["income"]["breached"]
    assert not drift["kind"]["breached"]
    windows = {row["window"]: row["breached"] for row in pictures["performance"].table}
    assert windows == {"a": False, "b": False, "c": True}


def test_hostile_names_are_only_text():
    target, scores = scores_of(1)
    picture = plots.roc_curve_picture(target, {"<script>alert(1)</script>": scores})
    assert b"<script" not in picture.svg
    assert b"&lt;script&gt;" in picture.svg


def test_the_leak_of_the_bank_is_found_and_its_calendar_told_apart(calls):
    report = explore(calls, Exploration(bank.TARGET, bank.POSITIVE, bank.PERIOD, bank.LEAKS))
    suspicious = [row["column"] for row in report.tables["leaks"] if row["suspicious"]]
    assert suspicious == ["duration"]
    assert report.findings[0].startswith("duration alone ranks the outcome with ROC AUC 0.8")
    dated = {row["column"] for row in report.tables["leaks"] if row["tells_the_date"]}
    assert dated == set(bank.MACRO)
    gaps = {row["column"]: row["share"] for row in report.tables["missing"]}
    assert gaps["default"] == pytest.approx(0.209, abs=0.001)
    assert len(report.tables["target_rate"]) == 26


def test_a_leak_is_found_even_if_nobody_declared_it(small):
    leaking = small.assign(shadow=(small["bought"] == "yes") * 1.0)
    report = explore(leaking, LOOK)
    worst = report.tables["leaks"][0]
    assert (worst["column"], worst["auc"], worst["suspicious"]) == ("shadow", 1.0, True)
    assert report.findings[0].startswith("shadow alone ranks the outcome with ROC AUC 1.000")


def test_a_column_that_says_nothing_ranks_by_chance(small):
    target = target_array(small, "bought", "yes")
    assert univariate_auc(small["watched"], target) < 0.6
    assert univariate_auc(small["watched"] * np.nan, target) == 0.5


def test_a_table_without_gaps_or_periods_is_explored_too(small):
    report = explore(small.drop(columns="period"), Exploration("bought", "yes"))
    assert "target_rate" not in report.pictures
    assert report.as_dict()["pictures"]["missing"]["description"].startswith("0 of ")


def test_a_target_of_three_values_is_not_explored(small):
    with pytest.raises(DataProblem) as caught:
        explore(small, Exploration("kind", "a"))
    assert caught.value.code == "target_not_binary"
