"""The page of a model: all that is known of it, and nothing that is not."""

import re
from dataclasses import replace

import pytest

from infertop.views.account_shapes import AccountsPage, PartRow
from infertop.views.shapes import Quantiles
from tests.tui import sample
from tests.tui.drawn import desk, text
from tests.tui.play import PlayFeed
from tui.desk import Desk
from tui.look import Look


def test_the_page_of_an_api_says_in_one_line_that_it_tells_no_latency_and_has_no_lines_of_what_only_servers_know():
    silent = dict.fromkeys(("ttft", "inter_token", "request", "queue"), Quantiles())
    unseen = dict.fromkeys(
        ("running", "waiting", "kv_cache_usage", "kv_cache_peak", "preemptions_per_second", "usage_usd_per_hour",
         "shadow_margin_usd_per_hour", "failed_per_second", "aborted_per_second")
    )  # fmt: skip
    _, screen = of_model(stated=True, **silent, **unseen)
    assert "not told: an account or a log says what was used, not how fast it was" in screen
    absent = ("TTFT", "p95", "queue s", "LOAD", "KV cache", "by usage", "margin", "failed", "aborted")
    assert [word for word in absent if word in screen] == []
    _, told = of_model(stated=True)
    assert "TTFT" in told
    assert "LOAD" in told
    assert "not told: an account" not in told


def test_the_page_of_a_model_shows_all_that_is_known_of_it():
    made = desk()
    made.open()
    screen = text(made, 140, 60)
    for word in (
        "models › llama-3-70b on vllm:8000",
        "4.98/h all-in",
        "4.18/h by usage",
        "/1M output",
        "/h prefill",
        "/h decode",
        "5.40M",
        "KV cache peak",
        "prefix hits",
        "drafts taken    63 %",
        "preemptions/s",
        "<0.3",
        ">60",
        "0.14 (0.11-0.19)",
        "0 H100 80GB HBM3",
        "prefill and decode by token weights",
        "not reported by the engine: power of one process, prefill time",
        "shadow price 0.60 in",
    ):
        assert word in screen, word


def of_model(width=140, height=60, **changes):
    """The page of the dearest model, with these figures of its row changed, and the overview under it."""
    row = replace(sample.MODELS[0], **changes)
    made = desk(replace(sample.RICH, models=(row, *sample.MODELS[1:])))
    above = text(made, width, height)
    made.open()
    return above, text(made, width, height)


@pytest.mark.parametrize("size", [(80, 60), (140, 40)])
def test_failures_are_shown_by_reason_and_what_clients_gave_up_beside_them(size):
    reasons = {"overloaded": 2.5, "4xx": 0.25, "never": 0.0, "\x1b[2Jx": 0.01}
    _, screen = of_model(*size, failed_per_second=2.76, failed_by_reason=reasons, aborted_per_second=0.5)
    assert re.search(r"failed +2\.76", screen)
    assert re.search(r" overloaded +2\.50", screen)
    assert re.search(r" 4xx +0\.25", screen)
    assert re.search(r"aborted +0\.50", screen)
    assert "never" not in screen
    assert "\x1b[2J" not in screen


def test_requests_are_shown_by_why_their_answers_ended():
    screen = of_model(answers_by_reason={"stop": 3.1, "length": 0.3, "repetition": 0.0})[1]
    assert re.search(r" stop +3\.10", screen)
    assert re.search(r" length +0\.30", screen)
    assert "repetition" not in screen


def test_gpu_time_by_phase_is_shown_where_the_engine_measures_it():
    assert "GPU prefill" not in of_model()[1]
    screen = of_model(prefill_gpu_ratio=0.21, decode_gpu_ratio=0.6)[1]
    assert re.search(r"GPU prefill +21 %", screen)
    assert re.search(r"GPU decode +60 %", screen)


def test_an_engine_that_sleeps_says_so_on_both_pages():
    above, screen = of_model(asleep=1.0)
    assert "asleep" in above
    assert "! asleep: its weights are off the GPU, what it still holds there is idle cost" in screen
    above, screen = of_model(asleep=0.5)
    assert "asleep" not in above
    assert "! asleep on 50 % of its ranks" in screen
    assert "asleep" not in of_model(asleep=0.0)[1]


def test_figures_of_which_nothing_moves_are_marked_as_old():
    above, screen = of_model(200, 60, stuck=True)
    assert "14?" in above
    assert re.search(r"running +14\?", screen)
    assert "! running, waiting and KV cache are old: nothing has moved for 30 s" in screen
    assert "14?" not in of_model(200, 60)[0]


def test_what_figures_mean_and_what_an_engine_does_not_show_is_said_below_them():
    made = desk()
    page = sample.page(sample.RICH, "vllm@127.0.0.1:8000", "llama-3-70b")
    more = replace(page, caveats=("a request counts twice",), not_shown=("failures", "queue"))
    made.feed.model_page = lambda source, model: more
    made.open()
    screen = text(made, 140, 60)
    assert "note: a request counts twice" in screen
    assert "not on its page (yet): failures, queue" in screen


def test_a_model_that_is_gone_keeps_its_last_page():
    made = desk()
    made.open()
    made.feed.view = replace(sample.RICH, models=sample.MODELS[1:])
    made.tick()
    screen = text(made)
    assert "llama-3-70b is not reported any more" in screen
    assert "KV cache peak" in screen


def _who(feed: PlayFeed) -> str:
    made = Desk(feed, Look())
    made.paint(140, 60)
    made.open()
    made.tick()
    made.tick()
    return "\n".join(row.text for row in made.paint(140, 60))


def _told(*names: str) -> AccountsPage:
    parts = tuple(PartRow(name, "key", 3.0, 4.0, 5.0, 0.5, 6, 7) for name in names)
    return AccountsPage(sample.AT, sample.AT - 86_400, "key", (), parts=parts)


def _stated() -> PlayFeed:
    row = replace(sample.RICH.models[0], stated=True)
    return PlayFeed(replace(sample.RICH, models=(row, *sample.RICH.models[1:])))


def test_the_page_of_what_is_paid_by_use_says_who_used_it():
    feed = _stated()
    feed.reckoned = _told("prod-support", "(none)")
    screen = _who(feed)
    assert "BY KEY" in screen
    assert re.search(r"prod-support +~3\.00 +~4\.00 +5\.00 +50 %", screen)
    row = feed.view.models[0]
    assert feed.divided[-1] == ("key", (("source", row.source), ("model", row.model)))


def test_where_no_key_is_told_projects_are_and_then_nobody():
    feed = _stated()
    feed.reckoned = _told("(none)")
    screen = _who(feed)
    assert {by for by, _ in feed.divided} >= {"key", "project", "user"}
    assert not re.search("BY (KEY|PROJECT|USER)", screen)


def test_of_many_users_the_dearest_are_shown_and_the_rest_counted():
    feed = _stated()
    feed.reckoned = _told(*(f"key {n}" for n in range(20)))
    screen = _who(feed)
    assert "key 11" in screen
    assert "key 12" not in screen
    assert "and 8 more: p shows them all" in screen


def test_nobody_is_asked_who_used_an_engine_of_one_s_own():
    feed = PlayFeed()
    _who(feed)
    assert feed.divided == []


def test_a_model_has_the_chart_of_its_last_hour_unless_another_one_has_its_name():
    assert "$/HOUR  60 min" in _who(PlayFeed()).replace("1 h", "60 min")
    first = sample.RICH.models[0]
    twins = replace(sample.RICH, models=(first, replace(first, source="vllm@127.0.0.1:9"), *sample.RICH.models[1:]))
    assert "$/HOUR  " not in _who(PlayFeed(twins))
