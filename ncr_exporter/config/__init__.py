"""The configuration file: YAML in, one frozen `Config` out, or every problem with its place."""

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
