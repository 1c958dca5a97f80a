"""Every setting, read from the environment once, with its default; unsafe ones are refused in production."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url


class Settings(BaseSettings):
    """Names in the environment are the field names in capitals (with TOBIDASHI_ where an alias says so)."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    env: Literal["demo", "pilot", "production"] = Field(default="pilot", validation_alias="TOBIDASHI_ENV")
    profile: Literal["hokkaido", "yamagata"] = Field(default="hokkaido", validation_alias="TOBIDASHI_PROFILE")
    data: Path = Field(default=Path("var"), validation_alias="TOBIDASHI_DATA")
    database_url: str = ""
    database_owner_url: str = ""
    redis_url: str = ""
    smtp_url: str = ""
    mail_from: str = "Tobidashi <noreply@tobidashi.invalid>"
    # Mails to one person in ten minutes; what comes beyond is gathered. 0 stands for no limit.
    mail_burst: int = Field(default=20, ge=0)
    public_url: str = "http://127.0.0.1:8000"
    allow_plain_http: bool = Field(default=False, validation_alias="TOBIDASHI_ALLOW_HTTP")
    pool_size: int = Field(default=8, ge=3, le=100)  # the verifier alone takes three
    session_idle_minutes: int = Field(default=30, ge=5, le=720)
    session_hours: int = Field(default=12, ge=1, le=24)
    body_limit: int = Field(default=2 * 1024 * 1024, ge=64 * 1024)
    file_limit: int = Field(default=30 * 1024 * 1024, ge=64 * 1024, le=1024**3)  # bytes of one file
    # Of one case, shared files and internal ones each for themselves: what one may not see takes nothing from one's room.
    case_quota: int = Field(default=200 * 1024 * 1024, ge=64 * 1024)
    case_files: int = Field(default=200, ge=1)
    retention_years: int = Field(default=5, ge=1, le=100)  # of a case, counted from the fiscal year after it ended
    request_seconds: float = Field(
        default=30, ge=0.5, le=600
    )  # for the head of a request, and for each piece of its body

    @model_validator(mode="after")
    def safe(self) -> "Settings":
        if self.env == "production":
            if self.owner and make_url(self.owner).username == make_url(self.database_url).username:
                raise ValueError("本番では DATABASE_URL と DATABASE_OWNER_URL に別の役割(ユーザー)を指定してください。")
            if not self.secure and not self.allow_plain_http:
                raise ValueError(
                    "本番の PUBLIC_URL は https で始めてください(閉域で http を使うときは TOBIDASHI_ALLOW_HTTP=1)。"
                )
        return self

    @property
    def secure(self) -> bool:
        """Whether people reach the system over TLS; decides the cookie's name and flags."""
        return self.public_url.startswith("https://")

    @property
    def owner(self) -> str:
        """URL of the role that owns the tables; the application's own where none is given."""
        return self.database_owner_url or self.database_url


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
