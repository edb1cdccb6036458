import inspect
import pickle

import pytest

import transforms.errors as errors
from transforms.errors import CanvasError, Refusal, Rejected, SourceNotFound, redact
from transforms.index import failed, index_row, index_table
from transforms.records import Product


def _classes(root: type) -> list[type]:
    return [member for _, member in inspect.getmembers(errors, inspect.isclass) if issubclass(member, root)]


def test_the_tree_in_the_docstring_names_every_class() -> None:
    for kind in (*_classes(CanvasError), *_classes(Refusal)):
        assert kind.__name__ in (errors.__doc__ or "")


def test_every_error_has_a_reason_of_its_own_and_a_remedy() -> None:
    kinds = _classes(CanvasError)
    assert len({kind.reason for kind in kinds}) == len(kinds)
    assert all(kind.remedy for kind in kinds)


@pytest.mark.parametrize("kind", _classes(CanvasError))
def test_errors_survive_pickling(kind: type[CanvasError]) -> None:
    error = pickle.loads(pickle.dumps(kind("row 3", remedy="mend it")))
    assert (type(error), str(error), error.remedy) == (kind, "row 3", "mend it")


@pytest.mark.parametrize("kind", _classes(errors.StorageError))
def test_a_row_that_the_output_did_not_take_is_tried_again(kind: type[errors.StorageError]) -> None:
    product = Product("m.parquet", 0, "a", "p", "a.jpg")
    assert failed(product, "pmax_square", "write", kind("s3://creatives/a.jpg"), {}).retryable


def test_a_source_that_is_denied_is_left_alone() -> None:
    product = Product("m.parquet", 0, "a", "p", "a.jpg")
    assert not failed(product, "pmax_square", "load", errors.SourceDenied("a.jpg"), {}).retryable


def test_refusals_survive_pickling() -> None:
    refusal = pickle.loads(pickle.dumps(Rejected("halo", "a bright rim", value=3.0, limit=1.0)))
    assert (refusal.reason, refusal.detail, refusal.value, refusal.limit) == ("halo", "a bright rim", 3.0, 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "https://ann:hunter2@shop.example/a.jpg",
        "s3 said: X-Amz-Signature=hunter2&x=1",
        "authorization: Bearer hunter2",
        "password=hunter2",
        'header "token: hunter2"',
        "api_key=hunter2",
    ],
)
def test_messages_never_show_credentials(text: str) -> None:
    assert "hunter2" not in str(CanvasError(text))


def test_access_keys_are_redacted_and_other_text_is_kept() -> None:
    assert redact("key AKIAABCDEFGHIJKLMNOP of row 3") == "key *** of row 3"
    assert redact("row 3: image has 12 pixels") == "row 3: image has 12 pixels"


@pytest.mark.parametrize(
    "text",
    [
        "https://host/a.jpg?access_token=hunter2",
        "https://host/a.jpg?accessToken=hunter2&w=1",
        "https://host/a.jpg?sv=2024-11-04&sig=hunter2",
        "https://host/a.jpg?client_secret=hunter2",
        "https://host/a.jpg?api-key=hunter2",
        "aws_secret_access_key=hunter2",
        "https://ann:pass@hunter2@host/a.jpg",
        "{'password': 'hunter2'}",
        '{"token":"hunter2"}',
        'connect(secret="hunter2")',
    ],
)
def test_secrets_under_longer_names_are_redacted(text: str) -> None:
    assert "hunter2" not in redact(text)


def test_words_that_only_end_like_a_secret_are_kept() -> None:
    assert redact("https://host/a.jpg?design=oak&to=b@c") == "https://host/a.jpg?design=oak&to=b@c"


def test_messages_can_be_written_whatever_a_file_is_called() -> None:
    error = SourceNotFound("shots/\udcff.jpg: No such file")
    outcome = failed(Product("/m.parquet", 0, "a", "p", "a.jpg"), None, "load", error, {})
    table = index_table([index_row(outcome, "run", "00")])
    assert table.column("detail").to_pylist() == ["shots/\\udcff.jpg: No such file"]
