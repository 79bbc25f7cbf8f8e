"""Signature v2 against published and derived vectors, all with made-up keys."""

import pytest

from ncr_exporter.ncr.paths import V3_PATHS, ListPath
from ncr_exporter.ncr.signing import signature, signed_headers

EXAMPLE = ("EXAMPLEACCESSKEY0001", "ExampleSecretKeyForTestsOnly0123456789ABC")

# path and query, timestamp, (access key, secret key), signature
VECTORS = {
    "vendor's cluster authenticator, request": (
        "/cluster/kubeconfig",
        "1668407407855",
        ("access", "secret"),
        "LTJli9+OKT2KvUXxiKslMfu5FIOmDN83avehOvgUFp0=",
    ),
    "vendor's cluster authenticator, token": (
        "/iam/krs-v1/user?clusterUuid=D11328F1-ECA9-4F1B-BA22-921F61D9C5FF",
        "1668407407855",
        ("access", "secret"),
        "emeahfW4CmzsxIQ5ip0cd9yqERXJ+ZJsRfQpGNmKdXk=",
    ),
    "a public client's own test": (
        "/vserver/v2/getServerInstanceList?responseFormatType=json",
        "1234567890123",
        ("TestAccessKey", "TestSecretKey"),
        "FPsYYX8fuMAgi+cue3eACOW0dNtIwu1LYWfg/megA2M=",
    ),
    "tag list, derived in five implementations": (
        "/ncr/api/v2/repositories/myreg/hello%2Fworld/tags?page=1&pagesize=100",
        "1700000000000",
        EXAMPLE,
        "lg3S0XYVH4Gha2r8q5tIOCwS0Z9u0YffTUfyoiZ26Tg=",
    ),
    "tag list without a query": (
        "/ncr/api/v2/repositories/myreg/hello%2Fworld/tags",
        "1700000000000",
        EXAMPLE,
        "lCN7mNx9ARV2122VNlOI3Hv1yE1K5AqsxPtNbmsnJrk=",
    ),
    "registry list": (
        "/ncr/api/v2/repositories",
        "1700000000000",
        EXAMPLE,
        "UKR2Q6hB8Dlew+266d0N1BoVe52uXzNBvzM8RDK9Lvo=",
    ),
    "image list in Singapore": (
        "/ncr/sgn-api/v2/repositories/myreg?page=2&pagesize=50",
        "1711928488000",
        EXAMPLE,
        "n71TsYE5JBi9hVdrX/1hVOCasQ4a0RGt6vRMTLs0aSI=",
    ),
}


@pytest.mark.parametrize("case", VECTORS)
def test_a_signature_is_the_published_one(case: str) -> None:
    path, timestamp, (access, secret), expected = VECTORS[case]
    assert signature("GET", path, timestamp, access, secret) == expected


def test_the_header_carries_the_very_timestamp_that_was_signed() -> None:
    path, timestamp, (access, secret), expected = VECTORS["registry list"]
    headers = signed_headers(
        "GET", path, timestamp_ms=int(timestamp), access_key=access, secret_key=secret
    )
    assert headers == {
        "x-ncp-apigw-timestamp": timestamp,
        "x-ncp-iam-access-key": access,
        "x-ncp-apigw-signature-v2": expected,
    }


@pytest.mark.parametrize(
    ("image", "encoded"),
    [
        ("hello/world", "hello%2Fworld"),
        ("50%off", "50%25off"),
        ("a.b_c-d~e", "a.b_c-d~e"),
        ('say "hi"', "say%20%22hi%22"),
        ("이미지", "%EC%9D%B4%EB%AF%B8%EC%A7%80"),
        ("a?b#c&d", "a%3Fb%23c%26d"),
    ],
)
def test_an_image_name_is_percent_encoded_once(image: str, encoded: str) -> None:
    path = ListPath("/ncr/api/v2", "my-reg", image)
    assert path.page(3, 50) == (
        f"/ncr/api/v2/repositories/my-reg/{encoded}/tags?page=3&pagesize=50"
    )
    path = ListPath("/api/v3", "my-reg", image, V3_PATHS)
    assert path.page(3, 50) == (
        f"/api/v3/registries/my-reg/images/{encoded}/tags?pageNo=3&pageSize=50&sort=name,asc"
    )
