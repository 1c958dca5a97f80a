"""Business days: which days an office works, and how deadlines are counted over them. Pure; closures are passed in."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from holidays.countries.japan import Japan

FIRST_YEAR = Japan.start_year
LAST_YEAR = Japan.end_year
SATURDAY, SUNDAY = 5, 6
SUBSTITUTE, BETWEEN = "振替休日", "国民の休日"  # holidays that come with the national ones (祝日法3条2項・3項)
ADDED = "国民の祝日"  # what a holiday is called that only the administrator's table knows


class CalendarEnds(Exception):
    """A day beyond the years whose national holidays are known; never counted as if there were none."""


@dataclass(frozen=True)
class Calendar:
    """The working days of an office: Monday to Friday without national holidays, 12/29–1/3 and its own closures.

    `holidays` are days that a law has made national holidays and `working` those that it has taken back, where the library
    does not know of it yet.
    """

    closures: frozenset[date] = frozenset()
    holidays: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()

    def is_business_day(self, day: date) -> bool:
        """Whether the office works on that day; raises `CalendarEnds` outside the known years."""
        return not (
            day.weekday() >= SATURDAY
            or (day in _national_holidays(day.year) and day not in self.working)
            or (day.month, day.day) in _YEAR_END
            or day in self.closures
            or day in self.holidays
        )

    def add_business_days(self, start: date, n: int) -> date:
        """The n-th business day after `start` (before it for negative n); 0 is `start` or the next business day."""
        step = timedelta(days=-1 if n < 0 else 1)
        day = start
        if n == 0:
            while not self.is_business_day(day):
                day += step
        for _ in range(abs(n)):
            day += step
            while not self.is_business_day(day):
                day += step
        return day

    def business_days_between(self, a: date, b: date) -> int:
        """Business days after `a` up to and with `b`; negative when `b` comes first."""
        if b < a:
            return -self.business_days_between(b, a)
        return sum(self.is_business_day(a + timedelta(days=n)) for n in range(1, (b - a).days + 1))

    @lru_cache(maxsize=4096)  # noqa: B019 - calendars are few and live as long as the process
    def business_days_in(self, first: date, last: date) -> int:
        """Business days from `first` to `last`, both counted."""
        return sum(self.is_business_day(first + timedelta(days=n)) for n in range((last - first).days + 1))

    def holidays_in(self, first: date, last: date) -> tuple[date, ...]:
        """National holidays from `first` to `last` with substitute and sandwiched ones, also those on a weekend."""
        known = {day for year in range(first.year, last.year + 1) for day in _national_holidays(year)}
        return tuple(sorted(day for day in (known - self.working) | self.holidays if first <= day <= last))

    def holiday_name(self, day: date) -> str:
        """The Japanese name of a national holiday, or nothing."""
        known = "" if day in self.working else _national_holidays(day.year).get(day, "")
        return known or (ADDED if day in self.holidays else "")


def named_holidays(first: int, last: int) -> frozenset[date]:
    """The days that the law itself names 国民の祝日 in these years, without the holidays that come with them."""
    years = (_national_holidays(year).items() for year in range(max(first, FIRST_YEAR), min(last, LAST_YEAR) + 1))
    return frozenset(day for year in years for day, name in year if name not in (SUBSTITUTE, BETWEEN))


def brought_along(national: AbstractSet[date]) -> dict[date, str]:
    """The holidays that come with the national ones, as the Act has them since 2007 (祝日法3条2項・3項).

    One on a Sunday brings the nearest day after it that is no national holiday itself; two of them the day between them.
    """
    found: dict[date, str] = {}
    for day in sorted(national):
        between = following = day + _DAY
        if day.weekday() == SUNDAY:
            while following in national:
                following += _DAY
            found[following] = SUBSTITUTE
        if between not in national and between + _DAY in national:
            found.setdefault(between, BETWEEN)
    return found


@dataclass(frozen=True)
class Follow:
    """A day that changes along with another: it becomes a holiday (`holiday`), or is one no more."""

    day: date
    name: str
    holiday: bool


def following(national: AbstractSet[date], day: date, *, becomes: bool) -> list[Follow]:
    """What follows where `day` becomes a national holiday or is one no more; only days on which it makes a difference."""
    after = national | {day} if becomes else national - {day}
    had, has = brought_along(national), brought_along(after)
    lost = [Follow(d, name, False) for d, name in had.items() if d not in has and d not in after]
    gained = [Follow(d, name, True) for d, name in has.items() if d not in had]
    return sorted((f for f in lost + gained if not _closed_anyhow(f.day)), key=lambda follow: follow.day)


_DAY = timedelta(days=1)


def _closed_anyhow(day: date) -> bool:
    return day.weekday() >= SATURDAY or (day.month, day.day) in _YEAR_END


_YEAR_END = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})


@lru_cache(maxsize=256)
def _national_holidays(year: int) -> dict[date, str]:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarEnds(
            f"{year}年の祝日は分かりません。日数は{FIRST_YEAR}年から{LAST_YEAR}年までの日で数えられます。年を確かめてください。"
        )
    return dict(Japan(years=year, expand=False, language="ja").items())
