"""Commands that documents print: they name what chart, kustomization, units and Compose install."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from ncr_exporter import __version__
from tests.support import deployed
from tests.support.deployed import CHART, DEPLOY, ROOT, Object
from tests.support.readme import Readme
from tests.support.rules import RUNBOOKS
from tools.kustomize import KUSTOMIZATIONS

MANUAL = DEPLOY / "README.md"
DOCUMENTS = [
    *sorted(RUNBOOKS.glob("*.md")),
    *(MANUAL, CHART / "README.md", ROOT / "README.md", ROOT / "README.ko.md"),
]
UNITS = {path.name: path.read_text() for path in (DEPLOY / "systemd").iterdir()}
NAMESPACE = "ncr"
CONFIG = "registries: [mine]\n"
KINDS = {"svc": "Service", "deploy": "Deployment", "secret": "Secret", "pods": "Pod"}


def commands(program: str) -> list[tuple[str, list[str]]]:
    """Return the words of each command that a document prints, with the document's name."""
    return [
        (str(document.relative_to(ROOT)), words)
        for document in DOCUMENTS
        for words in _words(document.read_text(encoding="utf-8"))
        if words[: len(program.split())] == program.split()
    ]


def _words(text: str) -> Iterator[list[str]]:
    for line in Readme(text).commands:
        found = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        found.whitespace_split = True
        words: list[str] = []
        for word in (*found, ";"):
            if word not in {"|", "&&", ";", "||"}:
                words.append(word)
            elif words:
                yield words
                words = []


@cache
def installed_by_helm() -> list[Object]:
    """What the manual's helm command installs with the values beside it."""
    values = Readme(MANUAL.read_text()).configuration("image")
    install = next(words for name, words in commands("helm install") if name == "deploy/README.md")
    _, _, release, chart, *_ = install
    said = deployed.run(
        *("helm", "template", release, str(ROOT / chart), "--values=-", f"--namespace={NAMESPACE}"),
        f"--kube-version={deployed.KUBERNETES}.0",
        text=values,
    )
    return deployed.objects(said)


@pytest.fixture(scope="module")
def by_kustomize(tmp_path_factory: pytest.TempPathFactory) -> list[Object]:
    """What the manual's overlay holds."""
    text = Readme(MANUAL.read_text()).configuration("apiVersion")
    folder = tmp_path_factory.mktemp("deploy") / "mine"
    folder.mkdir()
    (folder / "ncr-exporter.yml").write_text(CONFIG)
    overlay = yaml.safe_load(text)
    for key in ("resources", "components"):
        # Paths are relative in an overlay: from beside the base to where this one is.
        overlay[key] = [_relative(folder, path) for path in overlay[key]]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return deployed.kustomized(folder)


def _relative(folder: Path, path: str) -> str:
    up = "../" * (len(folder.parts) - 1)
    return f"{up}{(KUSTOMIZATIONS / 'mine' / path).resolve().relative_to('/')}"


def test_every_document_was_read() -> None:
    assert len(DOCUMENTS) > 20
    for program in ("kubectl", "helm", "systemctl", "journalctl", "docker compose", "install"):
        assert commands(program), program


def test_helm_installs_what_kustomize_does_under_one_name(by_kustomize: list[Object]) -> None:
    for kind in ("Deployment", "Service", "ServiceMonitor"):
        ours = deployed.by_kind(installed_by_helm(), kind)["metadata"]
        theirs = deployed.by_kind(by_kustomize, kind)["metadata"]
        assert (ours["name"], ours["namespace"]) == (theirs["name"], theirs["namespace"])
        assert ours["namespace"] == NAMESPACE
    (container,) = deployed.by_kind(by_kustomize, "Deployment")["spec"]["template"]["spec"][
        "containers"
    ]
    assert container["image"] == f"registry.example.com/ops/ncr-exporter:{__version__}"
    assert deployed.by_kind(by_kustomize, "ConfigMap")["data"]["ncr-exporter.yml"].endswith(
        "mine]\n"
    )


def test_every_kubectl_asks_the_namespace_that_everything_is_in() -> None:
    for document, words in commands("kubectl"):
        named = [words[at + 1] for at, word in enumerate(words) if word in {"-n", "--namespace"}]
        everywhere = "--all-namespaces" in words or words[-1] == "nodes"
        made = words[1:] == ["create", "namespace", NAMESPACE] or words[1:3] == ["apply", "-k"]
        assert named == [NAMESPACE] or everywhere or made, (document, words)


def test_every_object_that_kubectl_asks_for_is_there(by_kustomize: list[Object]) -> None:
    made = {words[6] for _, words in commands("kubectl -n ncr create secret generic")}
    for found in (installed_by_helm(), by_kustomize):
        names = {(each["kind"], each["metadata"]["name"]) for each in found}
        names |= {("Secret", secret) for secret in made}
        for document, words in commands("kubectl -n ncr"):
            asked = re.findall(r"\b(svc|deploy|secret)[/ ]([\w-]+)", " ".join(words))
            for kind, name in asked:
                if "create" not in words:
                    assert (KINDS[kind], name) in names, (document, words)
        # What the pods mount is what the documents tell to make.
        pods = deployed.by_kind(found, "Deployment")["spec"]["template"]["spec"]
        mounted = {x["secret"]["secretName"] for x in pods["volumes"] if "secret" in x}
        assert mounted <= made


def test_every_label_that_kubectl_selects_by_is_the_pods(by_kustomize: list[Object]) -> None:
    selectors = [
        words[at + 1]
        for _, words in commands("kubectl -n ncr")
        for at, word in enumerate(words)
        if word == "-l"
    ]
    assert len(selectors) > 5
    for found in (installed_by_helm(), by_kustomize):
        template = deployed.by_kind(found, "Deployment")["spec"]["template"]
        labels = {f"{key}={value}" for key, value in template["metadata"]["labels"].items()}
        assert set(selectors) <= labels


def test_what_runs_in_the_container_is_a_command_of_the_program() -> None:
    ran = [
        words[words.index("ncr-exporter", words.index("exec") + 1 + ("-f" in words)) :]
        for program in ("kubectl -n ncr exec", "docker compose")
        for _, words in commands(program)
        if "exec" in words
    ]
    assert len(ran) > 8
    for words in ran:
        deployed.check_arguments([word for word in words if word not in {"ncr-exporter", "--"}])


def test_the_container_is_where_its_configuration_is() -> None:
    # Commands in it name no file: the default name is looked for in the working directory.
    args = deployed.by_kind(installed_by_helm(), "Deployment")["spec"]["template"]["spec"]
    (file,) = (x for x in args["containers"][0]["args"] if x.startswith("--config.file="))
    directory = (ROOT / "Dockerfile").read_text().partition("\nWORKDIR /etc")[2].split()[0]
    assert file == f"--config.file=/etc{directory}/ncr-exporter.yml"


def test_every_release_and_chart_of_helm_is_the_one_installed() -> None:
    for document, words in commands("helm"):
        assert words[2] == "ncr-exporter", (document, words)
        flags = [words[at + 1] for at, x in enumerate(words) if x in {"-n", "--namespace"}]
        assert flags == [NAMESPACE], (document, words)
        if words[1] == "install":
            assert (ROOT / words[3] / "Chart.yaml").exists()


def test_every_unit_is_one_that_is_installed() -> None:
    named = {
        word if "." in word else f"{word}.service"
        for program in ("systemctl", "journalctl")
        for _, words in commands(program)
        for word in words
        if word.startswith("ncr-exporter")
    }
    assert named == {"ncr-exporter.service", "ncr-exporter-textfile.timer"}
    for name in named:
        assert "\n[Install]\n" in UNITS[name]
    for document in DOCUMENTS:
        units = re.findall(r"`systemctl \w+ ([\w.-]+)`", document.read_text(encoding="utf-8"))
        assert all({unit, f"{unit}.service"} & UNITS.keys() for unit in units), document.name


def test_what_is_installed_is_where_the_units_look_for_it() -> None:
    copied = [words for _, words in commands("install") if "-m" in words and "-d" not in words]
    places: set[str] = set()
    for words in copied:
        *sources, target = words[3:]
        for source in sources:
            name = Path(source).name
            assert "/" not in source or list(ROOT.glob(source)), source
            places.add(str(Path(target) / name) if target.endswith("/") else target)
    unit = UNITS["ncr-exporter.service"]
    for setting in ("EnvironmentFile=-", "LoadCredential=secret-key:"):
        (path,) = re.findall(rf"^{re.escape(setting)}(\S+)", unit, re.MULTILINE)
        assert path in places
    (config,) = re.findall(r"^ExecStart=.*--config\.file=(\S+)", unit, re.MULTILINE)
    assert config in places


def test_a_check_by_hand_runs_as_the_unit_does() -> None:
    ((_, words),) = commands("systemd-run")
    unit = UNITS["ncr-exporter.service"]
    properties = [words[at + 1] for at, word in enumerate(words) if word == "-p"]
    assert len(properties) == 3
    for setting in properties:
        assert setting in unit.replace("=-", "="), setting
    program = next(at for at, word in enumerate(words) if word.endswith("/bin/ncr-exporter"))
    assert f"ExecStart={words[program]} " in unit
    deployed.check_arguments(words[program + 1 :])
    assert words[-1] in unit


def test_compose_has_the_services_that_are_named() -> None:
    for document, words in commands("docker compose"):
        file = ROOT / words[words.index("-f") + 1]
        services = yaml.safe_load(file.read_text())["services"]
        if words[4] in {"logs", "exec"}:
            service = next(word for word in words[5:] if not word.startswith("-"))
            assert service in services, (document, words)


def test_the_image_that_is_pushed_is_the_one_that_the_values_name() -> None:
    text = (CHART / "README.md").read_text()
    ((_, tag),) = commands("docker tag")
    ((_, push),) = commands("docker push")
    local, remote = tag[2:]
    assert local == f"ncr-exporter:{__version__}"
    assert push[2:] == [remote]
    values = yaml.safe_load(Readme(text).configuration("image"))
    assert remote == f"{values['image']['repository']}:{__version__}"
    (secret,) = values["imagePullSecrets"]
    made = {words[6] for _, words in commands("kubectl -n ncr create secret generic")}
    assert {secret["name"], values["credentials"]["existingSecret"]} <= made
