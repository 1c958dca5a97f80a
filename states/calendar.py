"""Business days: which days an office works, and how deadlines are counted over them. Pure; closures are passed in."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from holidays.countries.japan import Japan

FIRST_YEAR = Japan.start_year
LAST_YEAR = Japan.end_year
SATURDAY = 5
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


_YEAR_END = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})


@lru_cache(maxsize=256)
def _national_holidays(year: int) -> dict[date, str]:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarEnds(
            f"{year}年の祝日は分かりません。日数は{FIRST_YEAR}年から{LAST_YEAR}年までの日で数えられます。年を確かめてください。"
        )
    return dict(Japan(years=year, expand=False, language="ja").items())
