import pandas as pd
import pytest

from brainlapse.preprocessing.quality.review import Decision, ReviewError, read_review


@pytest.fixture
def scans():
    return pd.DataFrame({"dataset": ["a", "a", "b"], "scan": ["sub-1", "sub-2", "sub-1"]})


@pytest.fixture
def write(tmp_path):
    def write_lines(*lines):
        path = tmp_path / "qc_review.tsv"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write_lines


HEADER = "dataset\tscan\tdecision\tnote"


def test_decisions_are_read_by_dataset_and_scan(scans, write):
    path = write(HEADER, "a\tsub-1\tkeep\tjust old", "b\tsub-1\tExclude \t", "a\tsub-2\t\tlater")
    assert read_review(path, scans) == {
        ("a", "sub-1"): Decision("keep", "just old"),
        ("b", "sub-1"): Decision("exclude", ""),
    }


def test_windows_endings_other_order_and_no_note(scans, tmp_path):
    path = tmp_path / "review.tsv"
    path.write_bytes("\ufeffdecision\tscan\tdataset\r\nkeep\tsub-2\ta\r\n".encode())
    assert read_review(path, scans) == {("a", "sub-2"): Decision("keep", "")}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([HEADER, "a\tsub-1\tmaybe\t"], "line 2: expected the decision keep or exclude"),
        ([HEADER, "a\tsub-1\tkeep\t", "a\tsub-9\tkeep\t"], "line 3: expected a dataset and scan"),
        ([HEADER, "b\tsub-2\tkeep\t"], "found 'b', 'sub-2'"),
        ([HEADER, "a\tsub-1\tkeep\t", "a\tsub-1\texclude\t"], "found a second for 'sub-1'"),
        (["dataset,scan,decision", "a,sub-1,keep"], "separated by tabs"),
        (["dataset\tscan", "a\tsub-1"], "decision missing"),
        ([], "expected a tab-separated table"),
    ],
)
def test_faults_are_named_with_line(scans, write, lines, words):
    with pytest.raises(ReviewError, match=r"qc_review\.tsv") as caught:
        read_review(write(*lines), scans)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value).strip()
