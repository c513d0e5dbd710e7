# SPDX-License-Identifier: BSD-3-Clause
"""A learned ensemble: its score, its divergence, its members over ranks, its cases, its commands."""

import copy
import threading

import numpy as np
import pytest
import torch

from components.ml_surrogates.ensemble import evaluation, toys, training
from components.ml_surrogates.ensemble.__main__ import main
from components.ml_surrogates.ensemble.members import Members
from components.ml_surrogates.ensemble.network import Normal, divergence
from coupler.analysis.ensemble_scores import almost_fair_crps, fair_crps
from coupler.errors import CaseError


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_the_almost_fair_score_mixes_both_kinds():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((8, 500)), rng.standard_normal(500)
    plain = np.abs(x - y).mean(0) - np.abs(x[:, None] - x[None]).mean((0, 1)) / 2.0
    for alpha in (0.0, 0.5, 0.95, 1.0):
        wanted = alpha * fair_crps(x, y) + (1.0 - alpha) * plain
        np.testing.assert_allclose(almost_fair_crps(x, y, alpha), wanted, atol=1e-12)
        tensors = almost_fair_crps(torch.as_tensor(x), torch.as_tensor(y), alpha)
        np.testing.assert_allclose(tensors.numpy(), wanted, atol=1e-12)
    with pytest.raises(CaseError, match="at least two"):
        almost_fair_crps(x[:1], y, 0.95)


def test_divergence_is_that_of_torch():
    g = torch.Generator().manual_seed(1)
    a, b, c, d = (0.5 * torch.randn((3, 2, 5), generator=g) for _ in range(4))
    wanted = torch.distributions.kl_divergence(
        torch.distributions.Normal(a, b.exp()), torch.distributions.Normal(c, d.exp())
    ).sum((1, 2))
    torch.testing.assert_close(divergence(Normal(a, b), Normal(c, d)), wanted)


class Ranks:
    """Threads that broadcast to each other as ranks do."""

    def __init__(self, size):
        self.size, self.meet, self.box = size, threading.Barrier(size), {}

    def rank(self, rank):
        return _Rank(self, rank)


class _Rank:
    def __init__(self, ranks, rank):
        self.ranks, self.rank, self.size = ranks, rank, ranks.size

    def Bcast(self, buffer, root):
        if self.rank == root:
            self.ranks.box[root] = buffer.copy()
        self.ranks.meet.wait()
        buffer[...] = self.ranks.box[root]
        self.ranks.meet.wait()


def gradients(group, net, drawn, s):
    net = copy.deepcopy(net)
    g = torch.Generator().manual_seed(4)
    training.rollout_loss(net, drawn.seen.double(), drawn.truth[:, 2:].double(), s, group, g).backward()
    group.sum_gradients(net.parameters())
    return torch.cat([p.grad.reshape(-1) for p in net.parameters() if p.grad is not None])


@pytest.fixture
def double():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("size", [2, 3])
def test_the_sum_over_ranks_is_that_of_one_rank(size, double):
    """Five members over two and three ranks: the same sample, the same noise, the same gradient."""
    s = training.Settings(width=8, blocks=1, members=5)
    drawn = toys.draw(3, 2, "alike", torch.Generator().manual_seed(2))
    torch.manual_seed(1)
    net = training.network(s)
    alone = gradients(Members(5), net, drawn, s)
    ranks, found = Ranks(size), {}

    def work(r):
        found[r] = gradients(Members(5, ranks.rank(r)), net, drawn, s)

    threads = [threading.Thread(target=work, args=(r,)) for r in range(size)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in range(size):
        torch.testing.assert_close(found[r], alone, rtol=1e-10, atol=1e-13)
    assert alone.abs().max() > 1e-3


def test_more_ranks_than_members_are_refused():
    with pytest.raises(ValueError, match="expected at most a rank for each of 2 members, found 3 ranks"):
        Members(2, Ranks(3).rank(0))


def test_the_error_depends_on_the_flow_where_it_is_said_to():
    assert evaluation.flow_dependence("flow", 1, 60) > 1.5 * evaluation.flow_dependence("alike", 1, 60)


def test_an_ensemble_begins_as_the_deterministic_forecast_that_it_goes_on_from():
    """With nothing drawn, the same state a step later; a network of another width is refused."""
    single = training.network(training.Settings(loss="deterministic", width=8, blocks=1))
    net = training.network(training.Settings(width=8, blocks=1))
    net.go_on_from(single)
    before, now = torch.randn((2, 3, 40), generator=torch.Generator().manual_seed(1))
    nothing = torch.zeros((3, net.latent, 40))
    torch.testing.assert_close(net(before, now, nothing), single(before, now, None))
    other = training.network(training.Settings(loss="deterministic", width=12, blocks=1))
    for wrong in (other, net):
        with pytest.raises(CaseError, match="--loss deterministic and this --width"):
            training.network(training.Settings(width=8, blocks=1)).go_on_from(wrong)


def test_commands(tmp_path, capsys):
    small = ["--steps", "8", "--width", "8"]
    single = str(tmp_path / "b")
    main(["train", "--out", single, "--loss", "deterministic", *small])
    main(["train", "--out", str(tmp_path / "a"), "--start", single, *small])
    main(["evaluate", "--model", str(tmp_path / "a"), "--rival", single, "--courses", "12",
          "--card", str(tmp_path / "card.md")])  # fmt: skip
    assert "ETA" in capsys.readouterr().out
    assert (tmp_path / "card.md").read_text().count("\n| ") == 19
    kept = (tmp_path / "b.json").read_bytes()
    with pytest.raises(SystemExit, match=r"b\.json is there already; name other files with --out, or say --overwrite"):
        main(["train", "--out", single, "--seed", "2", *small])
    assert (tmp_path / "b.json").read_bytes() == kept
    main(["train", "--out", single, "--overwrite", "--seed", "2", "--loss", "deterministic", *small])
    assert (tmp_path / "b.json").read_bytes() != kept
    with pytest.raises(SystemExit, match="a --rival for each of 2 models, found 1"):
        main(["evaluate", "--model", str(tmp_path / "a"), str(tmp_path / "a"), "--rival", single])


def spread_after(loss, seed):
    """Spread over error one step ahead after a short training of a small network."""
    s = training.Settings(loss=loss, width=8, blocks=1, pool=200, steps=100, curriculum=(1,), seed=seed, rate=1e-2)
    net = training.train(s, lambda text: None)[0]
    cases = toys.draw(20, 1, "alike", torch.Generator().manual_seed(5))
    x = training.forecast(net, cases.seen, 1, 10, torch.Generator().manual_seed(6))
    return evaluation.leads(x, cases.truth[:, 2:])[0].spread


def test_members_trained_by_their_absolute_error_are_too_alike():
    """L1 is least where members agree; found spread .27 to .55 of the error in three seeds, by the CRPS .93 to .97."""
    assert spread_after("l1", 1) < 0.6 < 0.8 < spread_after("crps", 1)


@pytest.fixture(scope="module")
def flow():
    """Where the error depends on the flow: a deterministic network, the ensemble that goes on from it, and the rival.

    The rival is deterministic too and has been trained as long as both together.
    """
    single = training.train(training.Settings(case="flow", loss="deterministic"))[0]
    net = training.train(training.Settings(case="flow", rate=2e-3), start=single)[0]
    return single, net, training.train(training.Settings(case="flow", loss="deterministic", steps=1280))[0]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_where_the_error_depends_on_the_flow_the_ensemble_is_spread_as_it_and_better_than_tuned_noise(flow):
    """Found .986, .977 and .985 of noise at start and steps in three seeds (below 1 was asked); spread .89 to .99."""
    _, net, rival = flow
    c = evaluation.compare(net, rival, "flow", 1, 60)
    print(c.vs_noise, c.vs_start, [lead.spread for lead in c.learned])
    assert c.vs_noise < 1.0 and c.learned[0].crps < 0.98 * c.noisy[0].crps
    assert c.learned[-1].rmse <= 0.85 * c.deterministic[-1]
    assert all(0.85 <= lead.spread <= 1.15 for lead in c.learned)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_by_the_absolute_error_the_ensemble_is_too_alike_and_worse(flow):
    """With half of the noise and a tenth of KL: spread .03 to .05 of the error up to lead 1.0, CRPS 1.50 to 1.54."""
    single, net, rival = flow
    other = training.train(training.Settings(case="flow", loss="l1", rate=2e-3), start=single)[0]
    crps, l1 = (evaluation.compare(n, rival, "flow", 1, 60) for n in (net, other))
    early = [lead.spread for lead in l1.learned if lead.time <= 1.0]
    print(early, l1.vs_noise / crps.vs_noise)
    assert max(early) < 0.75
    assert l1.vs_noise > 1.14 * crps.vs_noise


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_ensemble_that_goes_on_from_its_rival_is_spread_as_its_errors_and_better_than_tuned_noise():
    """Found .984, .984 and .991 of noise at start and steps in three seeds (asked 1.05), and spread .95 to 1.08.

    Beside a rival that was trained as long as both together: 1.03.
    """
    single = training.train(training.Settings(loss="deterministic"))[0]
    net = training.train(training.Settings(rate=2e-3), start=single)[0]
    c = evaluation.compare(net, single, "alike", 1, 60)
    print(c.vs_noise, c.vs_start, [lead.spread for lead in c.learned])
    assert all(0.85 <= lead.spread <= 1.15 for lead in c.learned)
    assert c.vs_noise <= 1.0 and c.learned[-1].rmse <= 0.85 * c.deterministic[-1]
