"""How [[source]] is checked, and that a key in the file is a mistake."""

from __future__ import annotations

import pytest

from infertop.money.load import parse
from tests.money.loading import mistakes


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('url = "http://h"', "1: source[0] needs kind"),
        ('kind = "vlm"', '2: source[0].kind must be one of nvml, openai, vllm; did you mean "vllm"?'),
        (
            'kind = "vllm"\nmetric_path = "/m"',
            '3: unknown key "metric_path" in source[0]; did you mean "metrics_path"?',
        ),
        ('kind = "openai"\nmetrics_path = "/m"', '3: unknown key "metrics_path" in source[0]'),
        ('kind = "vllm"\nurl = "h:8000"', '3: source[0].url must be a URL like "http://10.0.0.5:8000"'),
        ('kind = "vllm"\nurl = "file:///etc/passwd"', '3: source[0].url must be a URL like "http://10.0.0.5:8000"'),
        ('kind = "vllm"\nurl = "http://h:99999"', '3: source[0].url must be a URL like "http://10.0.0.5:8000"'),
        (
            'kind = "vllm"\nurl = "http://u:p@h"',
            "3: source[0].url must not hold a user or a password: use key_env or key_file",
        ),
        (
            'kind = "vllm"\nurl = "http://h/?api_key=1"',
            "3: source[0].url must be the base alone, without ? and #; keys belong in key_env or key_file",
        ),
        ('kind = "vllm"\ninterval = 0', "3: source[0].interval must be a number of at least 0.1 and at most 86400"),
        ('kind = "vllm"\ncounts = "yes"', "3: source[0].counts must be true or false"),
        ('kind = "vllm"\ngpus = "GPU-1"', "3: source[0].gpus must be a list in brackets of 1 to 1024 values"),
        ('kind = "vllm"\ngpus = [1]', "3: source[0].gpus[0] must be a text in quotes"),
        ('kind = "openai"\nkey_env = "A"\nkey_file = "b"', "1: source[0] has key_env and key_file: keep one"),
        (
            'kind = "vllm"\nurl = "http://10.0.0.5"\nkey_env = "A"',
            "3: source[0].url must be https, or http on this machine, because a key is sent to it",
        ),
        (
            'kind = "openai"\nkey_env = "my key"',
            "3: source[0].key_env must be the name of an environment variable, never the key itself",
        ),
        (
            'kind = "openai"\napi_key = "x"',
            '3: unknown key "api_key" in source[0]; never the key itself: use key_env or key_file',
        ),
    ],
)
def test_a_source_is_checked(source: str, sentence: str) -> None:
    assert mistakes(f"[[source]]\n{source}") == [sentence]


def test_two_sources_are_told_apart() -> None:
    one = '[[source]]\nkind = "vllm"\nurl = "http://localhost:8000"\n'
    assert mistakes(one + one.replace("localhost", "127.0.0.1")) == [
        '4: source[1] has the name "vllm@127.0.0.1:8000" of source[0] (pricing.toml:1)'
    ]
    assert mistakes(one + one + 'name = "other"') == []
    assert mistakes(one + 'name = "x"\n' + one + 'name = "x"') == [
        '5: source[1] has the name "x" of source[0] (pricing.toml:1)'
    ]


def test_without_kinds_any_kind_and_option_is_taken_and_numbers_become_float() -> None:
    text = b'[[source]]\nkind = "new"\nratio = 0.5\nlist = [1.5, "a"]\n'
    (source,) = parse(text).sources
    assert source.options == {"ratio": 0.5, "list": (1.5, "a")}
    assert isinstance(source.options["ratio"], float)


@pytest.mark.parametrize(
    "row",
    [
        'key = "{}"',
        'key_env = "{}"',
        'key_file = "{}"',
        'name = "Bearer {}"',
        'x = ["{}"]',
        '"{}" = 1',
    ],
)
def test_a_key_in_the_file_is_a_mistake_that_does_not_repeat_it(row: str) -> None:
    key = "sk-proj-Ab12Cd34Ef56Gh78Ij90"
    found = mistakes('[[source]]\nkind = "openai"\n' + row.format(key))
    assert found
    assert not any(key in each for each in found)
    assert found[0].startswith("3: ")
    if not row.endswith("= 1"):
        assert "never the key itself" in found[0]


def test_the_name_and_the_id_of_a_key_are_no_secrets() -> None:
    for name in ("prod-support-*", "apikey_01Rj2N8SVvo6BePZj99NhmiT", "key_5qA8wT2bXk9L", "sk-prod-*"):
        assert mistakes(f'[[assign]]\nkey = "{name}"\nteam = "a"') == []
