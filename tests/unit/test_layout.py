# SPDX-License-Identifier: BSD-3-Clause
"""Ranks to components: as said, or divided; too few are refused with the command to type."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupler.case.case import make_plan
from coupler.case.ranks import divides
from coupler.errors import LayoutError, NamelistError
from coupler.grids.grid import Grid
from coupler.layout import assign, describe, device_of, divide, place

WANTED = {"atmosphere": 4, "ocean": 2, "land": 1}
CELLS = {"atmosphere": 8000, "ocean": 27000, "land": 6750}


def test_ranks_follow_the_namelist_in_its_order():
    assert assign({"atmosphere": 2, "ocean": 2, "land": 1}, coupler=2) == {
        "coupler": (0, 1),
        "atmosphere": (2, 3),
        "ocean": (4, 5),
        "land": (6,),
    }


def test_a_component_may_live_on_anothers_ranks():
    ranks = assign({"atmosphere": 3, "land": 2, "ocean": 1}, sharing={"land": "atmosphere"})
    assert ranks == {"coupler": (0,), "atmosphere": (1, 2, 3), "ocean": (4,), "land": (1, 2)}


@pytest.mark.parametrize(
    ("wanted", "sharing", "words"),
    [
        ({"a": 1, "b": 2}, {"b": "a"}, "b wants 2 ranks, but shares those of a, which has 1"),
        ({"a": 1, "b": 1}, {"b": "c"}, "b shares the ranks of 'c', which has no ranks of its own"),
        ({"a": 1, "b": 1, "c": 1}, {"b": "a", "c": "b"}, "which has no ranks of its own"),
    ],
)
def test_sharing_that_cannot_be_is_refused(wanted, sharing, words):
    with pytest.raises(LayoutError, match=words):
        assign(wanted, sharing=sharing)


def test_too_few_ranks_get_one_message_with_the_smallest_number_and_the_commands():
    with pytest.raises(LayoutError) as said:
        divide(3, WANTED, CELLS, 1, {}, "cases/winter")
    assert str(said.value) == (
        "3 processes are too few: this case needs at least 4 (1 coupler, 1 atmosphere, 1 ocean, 1 land).\n"
        "Run:  mpirun -n 8 ./run_case.py cases/winter      (as its layout says)\n"
        "or:   mpirun -n 4 ./run_case.py cases/winter      (the fewest)\n"
        "or:   ./run_case.py cases/winter --serial      (one process)"
    )


def test_the_namelists_number_is_the_namelists_layout():
    ranks, note = divide(8, WANTED, CELLS, 1, {}, "c")
    assert ranks == assign(WANTED, 1)
    assert note == "as the namelist says"


def test_twice_the_ranks_are_shared_out_in_the_same_proportions():
    ranks, note = divide(15, WANTED, CELLS, 1, {}, "c")
    assert {n: len(r) for n, r in ranks.items()} == {"coupler": 1, "atmosphere": 8, "ocean": 4, "land": 2}
    assert note == "15 processes instead of the namelist's 8, shared out in the same proportions"


def test_one_process_holds_everything():
    assert divide(1, WANTED, CELLS, 1, {}, "c")[0] == {n: (0,) for n in ("coupler", *WANTED)}


@given(
    size=st.integers(4, 60),
    wanted=st.fixed_dictionaries({n: st.integers(1, 12) for n in WANTED}),
    coupler=st.integers(1, 4),
)
def test_every_rank_has_exactly_one_owner(size, wanted, coupler):
    ranks, _ = divide(size, wanted, CELLS, coupler, {}, "c")
    assert sorted(r for group in ranks.values() for r in group) == list(range(size))
    assert all(ranks[n] for n in ("coupler", *wanted))


@given(size=st.integers(3, 40), land=st.integers(1, 4))
def test_shared_ranks_stay_within_the_others(size, land):
    wanted = {"atmosphere": 4, "ocean": 2, "land": land}
    ranks, _ = divide(size, wanted, CELLS, 1, {"land": "atmosphere"}, "c")
    assert set(ranks["land"]) <= set(ranks["atmosphere"])
    assert sorted({r for group in ranks.values() for r in group}) == list(range(size))


def test_shared_ranks_keep_their_part_of_the_others():
    wanted, sharing = (
        {"atmosphere": 2, "ocean": 1, "land": 1, "radiation": 1},
        {"land": "ocean", "radiation": "atmosphere"},
    )
    ranks, _ = divide(13, wanted, {**CELLS, "radiation": 8000}, 1, sharing, "c")
    assert {n: len(r) for n, r in ranks.items()} == {
        "coupler": 1,
        "atmosphere": 8,
        "ocean": 4,
        "land": 4,
        "radiation": 4,
    }
    fewer, _ = divide(3, wanted, {**CELLS, "radiation": 8000}, 1, sharing, "c")
    assert {n: len(r) for n, r in fewer.items()} == {n: 1 for n in ("coupler", *wanted)}


def test_external_programs_keep_their_places():
    assert place({"coupler": (0,), "land": (1,)}, {"ocean": (0, 2)}, 4) == {
        "coupler": (1,),
        "land": (3,),
        "ocean": (0, 2),
    }


def test_the_layout_in_words():
    assert describe({"coupler": (0,), "ocean": (1, 2, 3), "land": (1, 3)}) == "coupler 0, ocean 1-3, land 1,3"


def test_without_a_card_auto_falls_back_once_and_cuda_refuses(monkeypatch):
    monkeypatch.setattr("coupler.layout.cuda_devices", lambda: 0)
    assert device_of("cpu", 0) == ("cpu", "")
    device, warning = device_of("auto", 0)
    assert device == "cpu" and "no CUDA device was found" in warning
    with pytest.raises(LayoutError, match="nvidia-smi lists none"):
        device_of("cuda", 0)


def test_cards_are_dealt_round(monkeypatch):
    monkeypatch.setattr("coupler.layout.cuda_devices", lambda: 2)
    assert [device_of("auto", i)[0] for i in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]


def test_a_plan_on_more_ranks_than_the_namelist_says(case):
    folder = case(layout={"coupler": 1, "atmosphere": 2, "ocean": 2})
    assert make_plan(folder).size == 5
    plan = make_plan(folder, 9)
    assert (len(plan["atmosphere"].ranks), len(plan["ocean"].ranks)) == (4, 4)
    assert "shared out" in plan.notes[0]
    with pytest.raises(LayoutError, match=r"mpirun -n 5 ./run_case.py"):
        make_plan(folder, 2)


@pytest.mark.parametrize("bad", [0, -1, "two", 1.5, True])
def test_a_number_of_ranks_that_is_none_is_refused(case, bad):
    with pytest.raises(NamelistError, match="expected a number of ranks"):
        make_plan(case(layout={"ocean": bad}))


def test_cuda_in_a_namelist_is_refused_by_check(case, command, monkeypatch):
    folder = case()
    path = folder / "ocean.yaml"
    path.write_text(path.read_text() + "device: cuda\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    done = command("check", folder)
    assert done.returncode == 2
    assert "no CUDA device was found" in done.stderr


def test_blocks_narrower_than_a_halo_are_refused():
    grids = {"default": Grid.regular_lonlat("g", 0, 10, 0, 9, resolution=1)}
    of = {cells: SimpleNamespace(component=SimpleNamespace(halo_cells=cells), grids=grids) for cells in (0, 4)}
    assert [n for n in range(1, 20) if divides(of[4], n)] == [1, 2, 4] and divides(of[0], 9)
