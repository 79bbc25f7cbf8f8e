"""The configuration file: YAML → one frozen `Config`, or all problems with line and key."""

from ncr_exporter.config.load import load, parse
from ncr_exporter.config.model import (
    Api,
    Config,
    CredentialsConfig,
    ImageConfig,
    RegistryConfig,
    Settings,
)
from ncr_exporter.config.secret import Secret
from ncr_exporter.config.yaml_tree import ConfigError, Problem

__all__ = [
    "Api",
    "Config",
    "ConfigError",
    "CredentialsConfig",
    "ImageConfig",
    "Problem",
    "RegistryConfig",
    "Secret",
    "Settings",
    "load",
    "parse",
]
