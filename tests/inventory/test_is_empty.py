"""What `bin/up` asks before it loads the simulated sample."""

from __future__ import annotations

import pytest
from django.core.management import call_command


def says_empty(capsys) -> bool:
    try:
        call_command("is_empty")
    except SystemExit as end:
        assert end.code == 1
    return capsys.readouterr().out.strip() == "empty"


@pytest.mark.django_db
def test_a_database_without_glaciers_is_empty(capsys):
    assert says_empty(capsys)


def test_a_glacier_of_the_real_world_is_not_written_beside(glacier, capsys):
    assert not says_empty(capsys)


def test_a_sample_that_was_cut_short_before_its_scenes_is_loaded_again(glacier, capsys):
    type(glacier).objects.update(simulated=True)
    assert says_empty(capsys)
