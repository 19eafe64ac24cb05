"""Which vocabulary a model has, and how it is downloaded when that is asked for."""

import hashlib
import json
import os
import pty
import urllib.request

import pytest
import tiktoken_ext.openai_public
from tiktoken.model import MODEL_TO_ENCODING

from infertop.commands import vocabulary
from infertop.commands.vocabulary import CL100K, O200K, NoVocabulary, Vocabulary, cut_of, download, find
from tests.commands.estimate.estimating import estimate


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
