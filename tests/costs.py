"""What each process costs in lines and templates of its own: the table of ADR 0021, printed by `python -m tests.costs`."""

from pathlib import Path

from states import catalogue

ROOT = Path(__file__).parent.parent
ROUNDED = 10  # lines


def lines(key: str) -> int:
    """Lines of Python that are this process's alone."""
    own = ROOT / "states" / key
    files = own.rglob("*.py") if own.is_dir() else [own.with_suffix(".py")]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def templates(key: str) -> int:
    """Pages that are this process's alone."""
    return len(list((ROOT / "templates" / key).glob("*.html")))


def rows() -> dict[str, tuple[str, int, int]]:
    """By key: what it is called, lines, templates; the dearest first."""
    found = {key: (process.label, lines(key), templates(key)) for key, process in catalogue.newest().items()}
    return dict(sorted(found.items(), key=lambda item: -item[1][1]))


def table() -> str:
    """The table as the document has it."""
    told = [
        f"| {label} | `{key}` | 約 {count // ROUNDED * ROUNDED:,} | {own or 0} |"
        for key, (label, count, own) in rows().items()
    ]
    return "\n".join(["| 業務フロー | 名前 | `states/` の行 | 専用のテンプレート |", "|---|---|---:|---:|", *told])


if __name__ == "__main__":
    print(table())
