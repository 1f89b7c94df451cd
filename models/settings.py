"""Settings, from the environment and `.env`: where the office keeps its things."""

import os
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parent.parent
SHIPPED_PLAN = CHECKOUT / "deployments" / "plans" / "weidong-hazchem-2024.toml"


class Settings(BaseSettings):
    """The variables `SHUANGSUIJI_*`; see the README for each."""

    model_config = SettingsConfigDict(env_prefix="SHUANGSUIJI_", env_file=".env", extra="ignore")

    home: Path = CHECKOUT / "var"
    database_url: str = ""
    smtp_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=4200, ge=1, le=65535)
    plan: Path = SHIPPED_PLAN

    @field_validator("home", "host", "port", "plan", mode="before")
    @classmethod
    def _empty_is_the_default(cls, value: object, info: ValidationInfo) -> object:
        # Not left to `env_ignore_empty`: an empty variable must still hide the line in `.env`, or
        # a rehearsal, which empties them, would run on the office's own database.
        if value != "" or info.field_name is None:
            return value
        return cls.model_fields[info.field_name].default

    @field_validator("home", "plan")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        # Children of the Prefect runner inherit some other working folder.
        return path.expanduser().absolute()

    @cached_property
    def database(self) -> str:
        """The SQLAlchemy URL of the office's own database."""
        return self.database_url or f"sqlite:///{self.home / 'shuangsuiji.db'}"

    @property
    def mail_folder(self) -> Path:
        """Where mails are written as `.eml` when no SMTP server is set."""
        return self.home / "mail"

    @property
    def papers_folder(self) -> Path:
        """Where notices and other papers are written."""
        return self.home / "papers"

    @property
    def publications_folder(self) -> Path:
        """Where the files for the national publication system are written."""
        return self.home / "publications"

    @property
    def prefect_home(self) -> Path:
        """Prefect's own home; `~/.prefect` is never touched."""
        return self.home / "prefect"


def settings() -> Settings:
    """The settings as the environment has them now; read anew only where it has changed."""
    return _read(tuple(item for item in os.environ.items() if item[0].startswith("SHUANGSUIJI_")))


@lru_cache(maxsize=8)
def _read(_environment: tuple[tuple[str, str], ...]) -> Settings:
    # A database transaction asks each time; reading `.env` costs more than the transaction.
    return Settings()
