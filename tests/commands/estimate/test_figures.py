"""What `infertop estimate` tells of files: tokens, dollars, and what it could not count."""

import json

import pytest

from infertop.commands import token_count
from infertop.commands.input_lines import Unreadable
from infertop.commands.token_count import texts
from tests.commands.estimate.estimating import estimate


def test_files_are_counted_and_priced_by_model_and_in_total(capsys, tmp_path, bytes_are_tokens):
    (tmp_path / "a.txt").write_text("<|end|>" + "x" * 993)
    (tmp_path / "b.txt").write_text("y" * 3000)
    words = (tmp_path / "a.txt", tmp_path / "b.txt", "--model", "gpt-4o", "--model", "claude-3-5-sonnet", "--json")
    status, out, said = estimate(capsys, *words, "--output-tokens", 100)
    assert (status, said) == (0, "")
    gpt, claude = json.loads(out)["models"]
    assert [each["tokens"] for each in gpt["files"]] == [{"input": 1000, "output": 100}, {"input": 3000, "output": 100}]
    assert gpt["files"][0]["usd"] == {"input": "0.0025", "output": "0.001", "total": "0.0035", "batch": "0.00175"}
    assert gpt["total"] == {
        "tokens": {"input": 4000, "output": 200},
        "usd": {"input": "0.01", "output": "0.002", "total": "0.012", "batch": "0.006"},
    }
    assert (gpt["counted_by"], gpt["margin"], claude["counted_by"], claude["margin"]) == (
        "vocabulary",
        0,
        "stand-in",
        0.2,
    )
    assert (gpt["within"], claude["within"]) == (None, None)
    assert claude["total"]["usd"]["total"] == "0.015"
    assert gpt["price"]["usd_per_million_tokens"] == {"input": "2.5", "output": "10"}


def test_the_text_form_has_the_same_figures_and_marks_what_is_estimated(capsys, tmp_path):
    file = tmp_path / "prompt.txt"
    file.write_text("a " * 1000)
    status, out, _ = estimate(capsys, file, "--model", "gpt-4o", "--model", "nobody-knows", "--output-tokens", 0)
    assert status == 0
    assert "~970" in out
    told = " ".join(out.split())
    assert "~ rough, estimated by characters: half of texts come out within 4 %, nine of ten within 20 %" in told
    assert "a short or repetitive one may be off by half or more; o200k_base is missing (--download: 3.6 MB)" in told
    assert "+-" not in out
    assert 'nobody-knows: no price is known;\n  set one under [model."nobody-knows"] in pricing.toml' in out
    assert max(map(len, out.splitlines())) <= 80


def test_what_is_no_text_is_told_and_the_rest_is_counted(capsys, tmp_path):
    (tmp_path / "good.txt").write_text("a b c")
    (tmp_path / "zero.bin").write_bytes(b"abc\x00def")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 au lait")
    (tmp_path / "cut.txt").write_bytes("é".encode()[:1])
    words = [tmp_path / name for name in ("zero.bin", "latin.txt", "cut.txt", "missing.txt", "good.txt")]
    status, out, said = estimate(capsys, *words, tmp_path, "--model", "gpt-4o", "--output-tokens", 1, "--json")
    assert status == 1
    assert [each["file"] for each in json.loads(out)["models"][0]["files"]] == [str(tmp_path / "good.txt")]
    assert said.splitlines() == [
        f"infertop: {tmp_path}/zero.bin is no text: it has zero bytes",
        f"infertop: {tmp_path}/latin.txt is no text in UTF-8",
        f"infertop: {tmp_path}/cut.txt is no text in UTF-8",
        f"infertop: {tmp_path}/missing.txt could not be read: no such file or directory",
        f"infertop: {tmp_path} could not be read: is a directory",
    ]


def test_a_file_beyond_the_limit_is_not_counted(monkeypatch, tmp_path):
    monkeypatch.setattr(token_count, "LARGEST_BYTES", 10**6)
    (tmp_path / "large.txt").write_text("x" * 10**6 + "y")
    with pytest.raises(Unreadable, match=r"large.txt has more than 1 MB: it is not counted"):
        list(texts(str(tmp_path / "large.txt")))


def test_the_provider_is_found_by_the_name_or_asked_for(capsys, tmp_path, bytes_are_tokens):
    (tmp_path / "p.txt").write_text("x" * 1000)
    names = ("openai/gpt-4o", "text-embedding-3-small", "deepseek/deepseek-v4-pro", "mai-ds-r1:free")
    words = [word for name in names for word in ("--model", name)]
    _, out, _ = estimate(capsys, tmp_path / "p.txt", *words, "--output-tokens", 0, "--json")
    prices = [each["price"] for each in json.loads(out)["models"]]
    assert [price and price["provider"] for price in prices] == ["openai", "openai", "deepseek", None]
    _, out, _ = estimate(capsys, tmp_path / "p.txt", *words, "--output-tokens", 0)
    assert "mai-ds-r1:free: several list it, name one of them:\n  --provider azure | openrouter" in out
