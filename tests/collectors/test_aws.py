"""Credentials of AWS are found by botocore, sign each request, and are in no sentence."""

from __future__ import annotations

import builtins
import sys
import threading
import types

import httpx
import pytest

from collectors._aws import Access, Aws, Service
from collectors._cloud_library import LookUp
from infertop.engine.collector import State, Unavailable
from infertop.engine.secrets import redact
from tests.collectors.aws_world import config

SERVICE = Service("monitoring", "GraniteServiceVersion20100801", "1.0")
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "AQoDYXdzEJr1K-canary-session-token"


class BotoCoreError(Exception):
    pass


class Frozen:
    access_key, secret_key, token = "AKIDEXAMPLE", SECRET, TOKEN


def with_botocore(monkeypatch, *, credentials=Frozen, region: str | None = "eu-west-1", trouble=None):
    """Put a stand-in for botocore where it is imported from; its signature is no signature."""

    class Session:
        def __init__(self, profile=None):
            self.profile = profile

        def get_config_variable(self, name):
            return region

        def get_credentials(self):
            if trouble:
                raise trouble
            return types.SimpleNamespace(get_frozen_credentials=credentials) if credentials else None

    class Request:
        def __init__(self, method, url, data, headers):
            self.headers = dict(headers)

    class SigV4Auth:
        def __init__(self, frozen, service, region):
            self.said = f"AWS4-HMAC-SHA256 Credential={frozen.access_key}/{region}/{service}"

        def add_auth(self, request):
            request.headers["Authorization"] = self.said

    for name, parts in {
        "botocore": {},
        "botocore.session": {"Session": Session},
        "botocore.auth": {"SigV4Auth": SigV4Auth},
        "botocore.awsrequest": {"AWSRequest": Request},
        "botocore.exceptions": {"BotoCoreError": BotoCoreError, "ClientError": BotoCoreError},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(parts)
        monkeypatch.setitem(sys.modules, name, module)


async def ask(**options) -> httpx.Request:
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(200, json={})

    aws = Aws(Access(config("bedrock", **options)), SERVICE, transport=httpx.MockTransport(answer))
    await aws.call("ListMetrics", {"Namespace": "AWS/Bedrock"})
    await aws.close()
    return asked[0]


async def test_a_request_is_signed_for_its_region_and_service(monkeypatch):
    with_botocore(monkeypatch)
    request = await ask()
    assert str(request.url) == "https://monitoring.eu-west-1.amazonaws.com/"
    assert request.headers["Authorization"].endswith("Credential=AKIDEXAMPLE/eu-west-1/monitoring")
    assert request.headers["X-Amz-Target"] == "GraniteServiceVersion20100801.ListMetrics"
    assert request.content == b'{"Namespace":"AWS/Bedrock"}'


async def test_the_source_says_its_region_before_the_environment(monkeypatch):
    with_botocore(monkeypatch)
    assert (await ask(region="cn-north-1")).url.host == "monitoring.cn-north-1.amazonaws.com.cn"


async def test_without_a_region_it_says_where_to_set_one(monkeypatch):
    with_botocore(monkeypatch, region=None)
    with pytest.raises(Unavailable, match="set AWS_REGION, or region = "):
        await ask()


async def test_without_credentials_it_says_where_they_come_from(monkeypatch):
    with_botocore(monkeypatch, credentials=None)
    with pytest.raises(Unavailable, match="set AWS_PROFILE or AWS_ACCESS_KEY_ID") as caught:
        await ask()
    assert caught.value.state is State.AUTH


async def test_a_session_that_is_over_is_a_sentence(monkeypatch):
    with_botocore(monkeypatch, trouble=BotoCoreError("The SSO session associated with this profile has expired"))
    with pytest.raises(Unavailable, match="AWS credentials cannot be used: The SSO session") as caught:
        await ask()
    assert caught.value.state is State.AUTH


async def test_the_secret_and_the_session_token_are_taken_out_of_every_message(monkeypatch):
    with_botocore(monkeypatch)
    await ask()
    assert redact(f"{SECRET} {TOKEN}") == "*** ***"


async def test_without_botocore_it_says_what_to_install(monkeypatch):
    usual = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", usual)
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.import_module", _missing)
    with pytest.raises(Unavailable, match=r'botocore, which is not installed: pip install "infertop\[aws\]"') as caught:
        await ask()
    assert caught.value.state is State.ABSENT


def _missing(name):
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


async def test_a_look_up_that_hangs_is_a_sentence_and_nobody_waits_for_it():
    held = threading.Event()
    look_up = LookUp("AWS", seconds=0.01)
    try:
        for _ in range(2):
            with pytest.raises(Unavailable, match="AWS credentials has not come back") as caught:
                await look_up.call(held.wait)
            assert caught.value.state is State.STALE
    finally:
        held.set()
        look_up.close()


async def test_the_signature_is_what_botocore_computes_of_the_request_that_is_sent(monkeypatch):
    auth = pytest.importorskip("botocore.auth", reason="botocore (infertop[aws]) is not installed")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    sent = await ask(region="us-east-1")
    claimed = sent.headers["Authorization"]
    signed = claimed.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} <= set(signed)
    # As the service does it: only what was signed, as it arrived.
    kept = {name: sent.headers[name] for name in signed}
    again = AWSRequest("POST", str(sent.url), data=sent.content, headers=kept)
    again.context["timestamp"] = sent.headers["X-Amz-Date"]
    signer = auth.SigV4Auth(Credentials("AKIDEXAMPLE", SECRET, TOKEN), "monitoring", "us-east-1")
    text = signer.string_to_sign(again, signer.canonical_request(again))
    assert claimed.endswith(signer.signature(text, again))
