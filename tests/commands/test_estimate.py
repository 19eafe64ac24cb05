"""How the tokens of files are counted: with a vocabulary, without one, and never over the network unasked."""

import hashlib
import json
import os
import pty
import urllib.request
from itertools import pairwise

import pytest
import regex
import tiktoken
import tiktoken_ext.openai_public
from hypothesis import given
from hypothesis import strategies as st
from tiktoken.model import MODEL_TO_ENCODING

from infertop.cli import main
from infertop.commands import token_count, vocabulary
from infertop.commands.input_lines import Unreadable
from infertop.commands.token_count import by_characters, texts, total
from infertop.commands.vocabulary import CL100K, O200K, NoVocabulary, Vocabulary, cut_of, download, find

# Texts, and what o200k_base and cl100k_base make of them.
COUNTED = {
    "English": (
        "The number is the product. When this is done, infertop prices any usage record, GPU and deployment as exactly "
        "as the best pricing libraries, shows where each price is from, and divides the cost of shared hardware so that"
        " the parts sum to the whole.",
        (52, 53),
    ),
    "Python": (
        "def total(pieces, counters):\n    asked = list(counters)\n    sums = [0.0] * len(asked)\n    for piece in "
        "pieces:\n        for number, counter in enumerate(asked):\n            sums[number] += counter(piece)\n    "
        "return [round(each) for each in sums]\n",
        (62, 64),
    ),
    "JSON": (
        '{"id": "o00764", "provider": "cohere", "model": "command-a-03-2025", "at": "2026-11-21T14:05:42+00:00", '
        '"tokens": {"input": 29722, "cache_read": 0, "cache_write_5m": 0, "output": 28}}',
        (81, 81),
    ),
    "Chinese": (
        "推理的成本由输入和输出的词元数量决定。缓存命中的提示词更便宜，而推理词元通常按照输出价格计费。"
        "我们希望每一个数字都能说明它的来源和时间。",
        (48, 67),
    ),
    "German": (
        "Die Kosten einer Anfrage hängen davon ab, wie viele Token sie liest und schreibt; zwischengespeicherte sind "
        "günstiger, und Überlegungen zählen wie Ausgaben.",
        (35, 44),
    ),
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """No vocabulary is here, and nothing is asked of the network."""

    def refused(*_, **__):
        raise AssertionError("the network was asked")

    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME", "DATA_GYM_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.delenv("INFERTOP_PRICING", raising=False)
    monkeypatch.setattr(urllib.request, "urlopen", refused)
    monkeypatch.setattr("tiktoken.load.read_file", refused)


@pytest.fixture
def bytes_are_tokens(monkeypatch, tmp_path):
    """A vocabulary whose tokens are single bytes, wherever one is asked for."""
    made = tiktoken.Encoding(
        "bytes", pat_str=r"[\s\S]", mergeable_ranks={bytes([n]): n for n in range(256)}, special_tokens={"<|end|>": 256}
    )
    monkeypatch.setattr("infertop.commands.counters.find", lambda _: tmp_path)
    monkeypatch.setattr("infertop.commands.counters.load", lambda _cut, _folder: made)


def estimate(capsys, *words):
    status = main(["estimate", *map(str, words)])
    out, said = capsys.readouterr()
    return status, out, said


@pytest.mark.parametrize(("text", "tokens"), COUNTED.values(), ids=COUNTED)
def test_without_a_vocabulary_the_kinds_of_characters_say_how_many_tokens_it_is(text, tokens):
    for name, real in zip(("o200k_base", "cl100k_base"), tokens, strict=True):
        assert by_characters(name)(text) == pytest.approx(real, rel=0.25)


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


def test_models_are_cut_as_tiktoken_cuts_them():
    ours = {model: cut_of(model).encoding for model in MODEL_TO_ENCODING}
    modern = {model: name for model, name in MODEL_TO_ENCODING.items() if name in ("o200k_base", "cl100k_base")}
    assert {model: ours[model] for model in modern} == modern
    assert all(cut_of(model).own for model in modern)


@pytest.mark.parametrize(
    ("model", "encoding", "own"),
    [
        ("gpt-5.6-sol", "o200k_base", True),
        ("openai/gpt-4o-2024-08-06", "o200k_base", True),
        ("gpt-oss-120b", "o200k_harmony", True),
        ("ft:gpt-3.5-turbo:acme", "cl100k_base", True),
        ("gpt-6-sol", "o200k_base", False),
        ("claude-opus-4-8", "o200k_base", False),
        ("gemini-2.5-pro", "o200k_base", False),
        ("o100", "o200k_base", False),
    ],
)
def test_a_stand_in_is_told_from_the_models_own_vocabulary(model, encoding, own):
    assert (cut_of(model).encoding, cut_of(model).own) == (encoding, own)


def test_the_files_are_the_ones_that_tiktoken_wants(monkeypatch):
    asked = {}
    monkeypatch.setattr(
        tiktoken_ext.openai_public,
        "load_tiktoken_bpe",
        lambda url, expected_hash: asked.update({url: expected_hash}) or {},
    )
    tiktoken_ext.openai_public.o200k_base()
    tiktoken_ext.openai_public.cl100k_base()
    assert asked == {each.url: each.sha256 for each in (O200K, CL100K)}
    assert O200K.file == "fb374d419588a4632f3f557e76b4b70aebbca790"


def test_a_damaged_vocabulary_is_left_alone_and_not_used(capsys, monkeypatch, tmp_path):
    damaged = tmp_path / O200K.file
    damaged.write_text("damaged")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    (tmp_path / "prompt.txt").write_text("a b c")
    status, out, _ = estimate(capsys, tmp_path / "prompt.txt", "--model", "gpt-4o", "--output-tokens", 1, "--json")
    (model,) = json.loads(out)["models"]
    assert (status, model["counted_by"], model["margin"]) == (0, "characters", None)
    assert model["within"] == {"half_of_texts": 0.04, "nine_of_ten_texts": 0.2}
    assert damaged.read_text() == "damaged"


def vocabulary_at(file, content):
    file.write_bytes(content)
    return Vocabulary("tiny", file.as_uri(), hashlib.sha256(content).hexdigest(), "1 kB")


def test_what_is_downloaded_is_kept_where_it_is_looked_for(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "kept"))
    tiny = vocabulary_at(tmp_path / "tiny.tiktoken", b"YQ== 0\n")
    assert find(tiny) is None
    download(tiny, vocabulary.own_folder())
    assert find(tiny) == tmp_path / "kept"
    assert [each.name for each in (tmp_path / "kept").iterdir()] == [tiny.file]


def test_a_download_that_is_another_file_is_not_kept(monkeypatch, tmp_path):
    monkeypatch.undo()
    tiny = vocabulary_at(tmp_path / "tiny.tiktoken", b"YQ== 0\n")
    (tmp_path / "tiny.tiktoken").write_bytes(b"something else")
    with pytest.raises(NoVocabulary, match="is not the file that tiktoken expects"):
        download(tiny, tmp_path / "kept")
    (tmp_path / "tiny.tiktoken").unlink()
    with pytest.raises(NoVocabulary, match="tiny could not be downloaded"):
        download(tiny, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_download_that_cannot_be_written_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.undo()

    def full(_number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("infertop.whole_file.os.fsync", full)
    with pytest.raises(NoVocabulary, match=r"tiny could not be downloaded: .*No space left on device"):
        download(vocabulary_at(tmp_path / "tiny.tiktoken", b"YQ== 0\n"), tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_download_that_fails_is_said_and_the_estimate_is_made_all_the_same(capsys, monkeypatch, tmp_path):
    def unreachable(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    (tmp_path / "prompt.txt").write_text("a b c")
    status, out, said = estimate(
        capsys, tmp_path / "prompt.txt", "--model", "gpt-4o", "--model", "o3", "--output-tokens", 1, "--download"
    )
    assert status == 1
    assert said == "infertop: o200k_base could not be downloaded: no route to host\n"
    assert "estimated by characters" in out


def test_at_a_terminal_it_asks_and_takes_no_for_an_answer(infertop_at_terminal, tmp_path):
    (tmp_path / "prompt.txt").write_text("a b c")
    asked, out, status = infertop_at_terminal("estimate", "prompt.txt", "--model", "gpt-4o", "--output-tokens", "1")
    assert "3.6 MB from openaipublic.blob.core.windows.net, kept in" in asked
    assert "Download it? [y/N]" in asked
    assert (status, "estimated by characters" in out) == (0, True)


@pytest.fixture
def infertop_at_terminal(tmp_path):
    from tests.acceptance.program import Program, end_all

    def run(*words):
        ours, theirs = pty.openpty()
        process = Program(tmp_path, {"DATA_GYM_CACHE_DIR": str(tmp_path)}).start(*words, stdin=theirs, stderr=theirs)
        os.close(theirs)
        asked = b""
        while b"[y/N]" not in asked:
            asked += os.read(ours, 4096)
        os.write(ours, b"n\n")
        out, _ = process.communicate(timeout=40)
        os.close(ours)
        return asked.decode(), out, process.returncode

    yield run
    end_all()


PATTERNS = {name: getattr(tiktoken_ext.openai_public, name) for name in ("o200k_base", "cl100k_base")}
pieces_of_text = st.lists(
    st.sampled_from(["\n", " ", "\r\n", "/", "a", "B", "9", ".", "'s", "é", "推", "\t", "\n\n", "x\u0301"])
)


@pytest.mark.parametrize("name", PATTERNS)
@given(parts=pieces_of_text)
def test_cutting_a_file_at_safe_places_changes_no_count(name, parts):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiktoken_ext.openai_public, "load_tiktoken_bpe", lambda *_, **__: {})
        pattern = regex.compile(PATTERNS[name]()["pat_str"])
        text = "".join(parts)
        ends = [0, *(match.end() for match in token_count._SAFE.finditer(text)), len(text)]
        cut = [text[start:end] for start, end in pairwise(ends)]
    assert [each for piece in cut for each in pattern.findall(piece)] == pattern.findall(text)


@given(st.text(), st.integers(1, 8))
def test_pieces_are_the_whole_text_and_none_is_long(text, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_count, "_PIECE", size)
        pieces = list(token_count._pieces(text))
    assert "".join(pieces) == text
    assert all(len(piece) <= 2 * size for piece in pieces)


def test_one_reading_serves_every_counter():
    assert total(iter(["ab", "c"]), [len, lambda text: 2 * len(text)]) == [3, 6]


def test_the_provider_is_found_by_the_name_or_asked_for(capsys, tmp_path, bytes_are_tokens):
    (tmp_path / "p.txt").write_text("x" * 1000)
    names = ("openai/gpt-4o", "text-embedding-3-small", "deepseek/deepseek-v4-pro", "mai-ds-r1:free")
    words = [word for name in names for word in ("--model", name)]
    _, out, _ = estimate(capsys, tmp_path / "p.txt", *words, "--output-tokens", 0, "--json")
    prices = [each["price"] for each in json.loads(out)["models"]]
    assert [price and price["provider"] for price in prices] == ["openai", "openai", "deepseek", None]
    _, out, _ = estimate(capsys, tmp_path / "p.txt", *words, "--output-tokens", 0)
    assert "mai-ds-r1:free: several list it, name one of them:\n  --provider azure | openrouter" in out
