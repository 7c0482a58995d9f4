import gzip
import io

import numpy as np
import pandas as pd
import pytest

from pipeline.ml import bank
from pipeline.ml.problems import DataProblem
from pipeline.ml.tables import (
    TableSpec,
    content_digest,
    likely_separator,
    read_table,
    schema_of,
    target_array,
)

GOOD = b"age,job,sold\n41,clerk,yes\n35,,no\n"
SPEC = TableSpec(columns=("age", "job"), numeric=("age",), target="sold", positive="yes")


def refusal(data: bytes, spec: TableSpec = SPEC) -> DataProblem:
    with pytest.raises(DataProblem) as caught:
        read_table(data, spec)
    return caught.value


def test_a_good_file_is_read_with_its_types():
    frame = read_table(GOOD, SPEC)
    assert frame["age"].tolist() == [41, 35]
    assert frame["age"].dtype == np.int64
    assert frame["job"].isna().tolist() == [False, True]
    assert schema_of(frame) == [
        {"name": "age", "type": "number"},
        {"name": "job", "type": "category"},
        {"name": "sold", "type": "category"},
    ]
    assert target_array(frame, "sold", "yes").tolist() == [1, 0]


def test_gzip_windows_line_ends_and_byte_order_mark_change_nothing():
    expected = content_digest(read_table(GOOD, SPEC))
    for data in (gzip.compress(GOOD), GOOD.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + GOOD):
        assert content_digest(read_table(data, SPEC)) == expected


@pytest.mark.parametrize("data", [b"", b"  \n\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(data):
    assert refusal(data).code == "empty_file"


def test_a_header_without_rows_is_refused():
    assert refusal(b"age,job,sold\n").code == "no_rows"


def test_a_wrong_separator_is_refused_with_the_likely_one():
    problem = refusal(GOOD.replace(b",", b";"))
    assert problem.code == "wrong_separator"
    assert problem.details["suggested"] == ";"
    assert "a semicolon" in problem.message


def test_a_separator_must_be_one_character():
    assert refusal(GOOD, TableSpec(separator="")).code == "wrong_separator"


def test_a_file_of_one_column_is_no_wrong_separator():
    assert read_table(b"age\n41\n", TableSpec())["age"].tolist() == [41]


def test_a_missing_column_is_named():
    problem = refusal(GOOD.replace(b"job", b"work"))
    assert problem.code == "missing_column"
    assert problem.details["columns"] == ["job"]


def test_a_missing_target_is_a_missing_column():
    assert refusal(GOOD.replace(b"sold", b"bought")).details["columns"] == ["sold"]


@pytest.mark.parametrize("value", [b"forty", b"inf", b"4 1", b"1,5".replace(b",", b"_")])
def test_a_value_that_is_no_number_is_named_with_its_line(value):
    problem = refusal(GOOD.replace(b"35", value))
    assert problem.code == "non_numeric_value"
    assert problem.details == {"column": "age", "row": 2, "line": 3, "value": value.decode()}


def test_missing_numbers_are_missing_whatever_they_are_called():
    frame = read_table(b"age,sold\n41,yes\nNA,no\n,yes\n", TableSpec(numeric=("age",)))
    assert frame["age"].isna().tolist() == [False, True, True]


def test_duplicate_columns_are_refused():
    problem = refusal(GOOD.replace(b"job", b"age"))
    assert (problem.code, problem.details["columns"]) == ("duplicate_columns", ["age"])


@pytest.mark.parametrize("row", [b"1,2\n", b"1,2,yes,no\n"])
def test_a_row_with_other_fields_than_the_header_is_named(row):
    problem = refusal(GOOD + row)
    assert (problem.code, problem.details["line"]) == ("ragged_row", 4)


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x00", b"\x1f\x8bgarbage", b"a,b\n1,\0\n", b'a,b\n1,"2\n3,4\n']
)
def test_bytes_that_are_no_table_are_refused(data):
    assert refusal(data, TableSpec()).code in {"unreadable_file", "ragged_row"}


@pytest.mark.parametrize("column", [b"yes,yes", b"yes,maybe,no", b"yes,"])
def test_a_target_without_exactly_two_values_is_refused(column):
    rows = b"".join(b"1,a," + value + b"\n" for value in column.split(b","))
    assert refusal(b"age,job,sold\n" + rows).code == "target_not_binary"


def test_a_positive_value_that_never_occurs_is_refused():
    spec = TableSpec(target="sold", positive="true")
    assert refusal(GOOD, spec).code == "target_not_binary"


def test_the_likely_separator_is_the_one_that_splits_most():
    assert likely_separator("a;b;c,d") == ";"
    assert likely_separator("abc") is None


def test_the_digest_notices_one_cell_far_down(calls):
    changed = calls.copy()
    changed.loc[15_000, "age"] += 1
    assert content_digest(changed) != content_digest(calls)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(flag=~frame["flag"]),
        lambda frame: frame.assign(whole=frame["whole"].astype("float64")),
        lambda frame: frame.assign(flag=frame["flag"].astype("int64")),
        lambda frame: frame.rename(columns={"text": "other"}),
        lambda frame: frame[frame.columns[::-1]],
        lambda frame: frame.iloc[::-1],
        lambda frame: frame.assign(text=["ab", "c", ""]),
        lambda frame: frame.assign(text=["a", "bc", None]),
        lambda frame: frame.iloc[:2],
    ],
)
def test_the_digest_notices_every_kind_of_change(change):
    frame = pd.DataFrame({"flag": [True, False, True], "whole": [1, 2, 3], "text": ["a", "bc", ""]})
    assert content_digest(change(frame)) != content_digest(frame)


def test_the_digest_leaves_out_index_and_file_format(calls, bank_file):
    plain = gzip.decompress(bank_file)
    again = bank.with_periods(read_table(plain, bank.SPEC))
    assert content_digest(again.set_index(again.index + 7)) == content_digest(calls)


def test_the_digest_survives_writing_and_reading(small):
    buffer = io.StringIO()
    small.to_csv(buffer, index=False)
    again = read_table(buffer.getvalue().encode(), TableSpec())
    assert content_digest(again) == content_digest(small)
