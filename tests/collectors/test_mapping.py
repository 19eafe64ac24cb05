"""Rules against hand-made pages: what is chosen, what is added up, what is left out."""

import pytest

from infertop.readings.exposition import Exposition
from infertop.readings.mapping import Plan, Rule, Table
from infertop.readings.model import Series


def read(table, text, model=None):
    page = Exposition(table.wanted()).parse(text.encode())
    return dict(zip(*Plan(table, page.layout, model).read(page.values), strict=True))


def table(*rules, **labels):
    return Table(rules, **({"model_label": "model_name", "rank_labels": ("engine", "worker")} | labels))


OUTPUT = table(Rule("output_tokens", ("eng:generation_tokens_total", "eng:tokens_total")))


def test_the_first_name_on_the_page_is_taken_and_a_later_one_is_not_added():
    both = 'eng:tokens_total{model_name="m"} 5\neng:generation_tokens_total{model_name="m"} 7\n'
    assert read(OUTPUT, both) == {Series.of("output_tokens", model="m"): 7.0}
    assert read(OUTPUT, 'eng:tokens_total{model_name="m"} 5\n') == {Series.of("output_tokens", model="m"): 5.0}


def test_colon_and_underscore_in_names_are_equal_and_a_relay_may_put_a_prefix_before_them():
    relayed = table(*OUTPUT.rules, prefixes=("", "ray_"))
    assert read(relayed, 'ray_eng_generation_tokens_total{model_name="m"} 7\n') == {
        Series.of("output_tokens", model="m"): 7.0
    }
    assert read(OUTPUT, 'ray_eng_generation_tokens_total{model_name="m"} 7\n') == {}


def test_gauges_are_added_over_the_labels_that_are_not_kept():
    text = 'busy{model_name="m",shard="a"} 5\nbusy{model_name="m",shard="b"} 6\n'
    assert read(table(Rule("running", ("busy",))), text) == {Series.of("running", model="m"): 11.0}


def test_counters_are_not_added_but_keep_their_other_labels_in_the_rank():
    text = 'eng:tokens_total{zone="z",model_name="m",shard="a",engine="0"} 5\n'
    text += 'eng:tokens_total{zone="z",model_name="m",shard="b",engine="0"} 6\n'
    assert read(OUTPUT, text) == {
        Series.of("output_tokens", model="m", rank="0/a/z"): 5.0,
        Series.of("output_tokens", model="m", rank="0/b/z"): 6.0,
    }


def test_a_label_that_the_rule_fixes_tells_nothing_apart():
    aborted = table(Rule("requests_aborted", ("done",), {"reason": "abort", "status": "4.."}))
    text = 'done{model_name="m",reason="abort",status="404"} 5\ndone{model_name="m",reason="stop",status="404"} 6\n'
    assert read(aborted, text) == {Series.of("requests_aborted", model="m", rank="404"): 5.0}


def test_a_rank_is_carried_also_where_there_is_only_one_so_that_a_second_does_not_rename_it():
    one = 'eng:tokens_total{model_name="m",engine="0"} 5\n'
    two = one + 'eng:tokens_total{model_name="m",engine="1"} 6\n'
    first = Series.of("output_tokens", model="m", rank="0")
    assert read(OUTPUT, one) == {first: 5.0}
    assert read(OUTPUT, two) == {first: 5.0, Series.of("output_tokens", model="m", rank="1"): 6.0}


WORK = table(Rule("running", ("busy",)), Rule("preemptions", ("put_back",)), lead_labels=("tp", "pp"))


def test_of_processes_that_do_the_same_work_the_first_of_each_rank_counts():
    text = "".join(
        f'busy{{model_name="m",engine="{engine}",tp="{tp}",pp="{pp}"}} 5\n'
        for engine, tps in (("0", ("9", "10")), ("1", ("11", "12")))
        for tp in tps
        for pp in "01"
    )
    assert read(WORK, text) == {
        Series.of("running", model="m", rank="0"): 5.0,
        Series.of("running", model="m", rank="1"): 5.0,
    }


def test_a_process_that_follows_does_not_step_in_for_a_line_that_the_first_lacks():
    text = 'busy{model_name="m",tp="0"} 5\nbusy{model_name="m",tp="1"} 5\nput_back{model_name="m",tp="1"} 3\n'
    assert read(WORK, text) == {Series.of("running", model="m"): 5.0}


def test_what_has_no_such_label_counts_beside_it():
    text = 'busy{model_name="m",tp="1"} 5\nput_back{model_name="m"} 3\n'
    assert read(WORK, text) == {Series.of("running", model="m"): 5.0, Series.of("preemptions", model="m"): 3.0}


def test_a_name_without_a_unit_stands_before_one_with_it():
    text = 'eng_done{model_name="m"} 4\neng_done_total{model_name="m"} 5\n'
    assert read(table(Rule("requests", ("eng:done",))), text) == {Series.of("requests", model="m"): 4.0}
    # Ray shows a counter once more as a gauge without _total: that is not taken for it.
    assert read(table(Rule("requests", ("eng:done_total",))), 'eng_done{model_name="m"} 4\n') == {}


def test_several_rank_labels_are_one_rank():
    text = 'eng:tokens_total{model_name="m",engine="0",worker="w"} 5\n'
    assert read(OUTPUT, text) == {Series.of("output_tokens", model="m", rank="0/w"): 5.0}


def test_two_names_joined_by_a_plus_are_both_read_and_one_alone_is_enough():
    hits = table(Rule("cached_tokens", ("local + remote",)))
    local = Series.of("cached_tokens", model="m", rank="local")
    assert read(hits, 'local{model_name="m"} 5\nremote{model_name="m"} 6\n') == {
        local: 5.0,
        Series.of("cached_tokens", model="m", rank="remote"): 6.0,
    }
    assert read(hits, 'local{model_name="m"} 5\n') == {local: 5.0}


def test_samples_without_a_model_get_the_pages_only_model_and_none_where_there_are_two():
    rules = table(
        Rule("output_tokens", ("tokens",)),
        Rule("requests_failed", ("http",), {"status": "5.."}, labels={"reason": "5xx"}),
    )
    one = 'tokens{model_name="m"} 5\nhttp{status="5xx"} 2\nhttp{status="2xx"} 9\n'
    assert read(rules, one)[Series.of("requests_failed", model="m", rank="5xx", reason="5xx")] == 2.0
    two = one + 'tokens{model_name="n"} 5\n'
    assert read(rules, two)[Series.of("requests_failed", rank="5xx", reason="5xx")] == 2.0


def test_a_given_model_names_what_has_no_label():
    assert read(Table((Rule("output_tokens", ("tokens",)),)), "tokens 5\n", "mine") == {
        Series.of("output_tokens", model="mine"): 5.0
    }


def test_kept_labels_are_renamed_and_absent_ones_left_out():
    gpus = table(Rule("compute_seconds_total", ("us",), keep={"gpu_uuid": "gpu"}, per=1e6))
    assert read(gpus, 'us{model_name="m",gpu_uuid="G"} 2000000\nus{model_name="m"} 3000000\n') == {
        Series.of("compute_seconds_total", model="m", gpu="G"): 2.0,
        Series.of("compute_seconds_total", model="m"): 3.0,
    }


@pytest.mark.parametrize(("combine", "expected"), [("sum", 0.8), ("mean", 0.4), ("max", 0.6)])
def test_shares_are_put_together_as_the_rule_says(combine, expected):
    shares = table(Rule("kv_cache_usage", ("kv",), combine=combine))
    text = 'kv{model_name="m",shard="a"} 0.2\nkv{model_name="m",shard="b"} 0.6\n'
    assert read(shares, text) == {Series.of("kv_cache_usage", model="m"): pytest.approx(expected)}


def test_the_earlier_of_two_rules_for_one_series_stands():
    twice = table(Rule("running", ("own",)), Rule("running", ("theirs",)))
    assert read(twice, 'own{model_name="m"} 1\ntheirs{model_name="m"} 2\ntheirs{model_name="n"} 3\n') == {
        Series.of("running", model="m"): 1.0,
        Series.of("running", model="n"): 3.0,
    }


def test_created_stamps_are_never_values():
    text = 'eng:tokens_created{model_name="m"} 1.79e9\neng:tokens_total_created{model_name="m"} 1.79e9\n'
    assert read(OUTPUT, text) == {}


@pytest.mark.parametrize("value", ["NaN", "Nan", "+Inf", "-Inf"])
def test_what_is_not_a_number_is_absent_and_not_zero(value):
    assert read(OUTPUT, f'eng:tokens_total{{model_name="m"}} {value}\n') == {}


def test_a_sum_with_a_part_that_is_not_a_number_is_absent():
    text = 'busy{model_name="m",shard="a"} 5\nbusy{model_name="m",shard="b"} NaN\n'
    assert read(table(Rule("running", ("busy",))), text) == {}


def test_the_highest_of_several_passes_over_what_is_not_a_number():
    slowest = table(Rule("queue_seconds_quantile", ("q",), keep={"quantile": "quantile"}, combine="max"))
    text = 'q{model_name="m",version="1",quantile="0.5"} NaN\nq{model_name="m",version="2",quantile="0.5"} 3\n'
    assert read(slowest, text) == {Series.of("queue_seconds_quantile", model="m", quantile="0.5"): 3.0}


def test_series_stay_the_same_object_while_the_same_ones_are_readable():
    rules = table(Rule("running", ("a",)), Rule("waiting", ("b",)))
    reader = Exposition(rules.wanted())
    pages = [reader.parse(f'a{{model_name="m"}} 1\nb{{model_name="m"}} {b}\n'.encode()) for b in (1, "NaN", "NaN", 2)]
    assert len({id(page.layout) for page in pages}) == 1
    plan = Plan(rules, pages[0].layout)
    full, some, again, back = (plan.read(page.values)[0] for page in pages)
    assert full is back is plan.series
    assert some is again
    assert [series.metric for series in some] == ["running"]
