from __future__ import annotations

from collections.abc import Iterator

import pytest

from heedful.manage.profiling import profile
from manage.verify.texts import Case, batches_of, model_of


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prices measured here are nobody else's."""
    where = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heedful.manage.prices.store.folder", lambda: where)
        yield


@pytest.fixture(scope="session")
def case() -> Case:
    model = model_of()
    calibrate = batches_of(model, 2, 4, 1)
    return Case(model, calibrate, batches_of(model, 6, 4, 2), batches_of(model, 8, 4, 3), profile(model, calibrate))
