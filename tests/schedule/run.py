#!/usr/bin/env python3
"""When cron expressions fire, and what clocks show: asked of us and of others.

Instants: a year, in zones whose clocks do odd things in that year, of expressions of all
kinds. Those that mean times of day are asked of cronsim. Those with a star in minute or hour
are looked for among all minutes of the year, and asked of cronsim too, where that is quick,
beside the days on which clocks change (it counts hours from the hour's beginning, which is
not right where clocks change by half an hour or at midnight).
Offsets: every zone, at random instants from 1900 to 2100 and around each change, asked of
Python's zoneinfo, with the files of Debian and with those of PyPI.

usage: run.py LISTER [--only PART] [--seed N]   (LISTER: the built lakemill_clock_lister)
"""
import argparse
import calendar
import concurrent.futures
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402

environment.enter()

import zoneinfo  # noqa: E402

import cronsim  # noqa: E402
import numpy  # noqa: E402
import tzdata  # noqa: E402

from harness.process import Failure, lakemill, must, write_files  # noqa: E402
from harness.suite import Suite  # noqa: E402

SYSTEM = pathlib.Path("/usr/share/zoneinfo")
PINNED = pathlib.Path(tzdata.__file__).parent / "zoneinfo"
UTC = datetime.timezone.utc

# What clocks do there in that year.
PLACES = [
    ("UTC", 2026),                  # nothing
    ("Europe/Berlin", 2026),        # an hour forward at 2, back at 3
    ("Europe/London", 2026),        # at 1
    ("America/New_York", 2026),
    ("America/Sao_Paulo", 2018),    # forward at midnight: days that begin at 1
    ("America/Sao_Paulo", 2026),    # no more
    ("America/Havana", 2026),       # at midnight
    ("America/Santiago", 2026),     # at 24:00, in the south
    ("America/St_Johns", 2011),     # half an hour off, at one minute past midnight
    ("America/St_Johns", 2026),
    ("America/Caracas", 2016),      # half an hour forward for good
    ("America/Nuuk", 2026),         # at -1:00
    ("America/Scoresbysund", 2024),  # summer time and another zone at once
    ("Antarctica/Troll", 2026),     # two hours
    ("Antarctica/Casey", 2018),     # three hours
    ("Africa/Cairo", 2026),         # on a Friday at midnight
    ("Africa/Casablanca", 2026),    # summer all the year but in Ramadan
    ("Asia/Gaza", 2026),            # summer time cut by Ramadan
    ("Asia/Kathmandu", 1986),       # 15 minutes forward at New Year
    ("Asia/Kathmandu", 2026),
    ("Asia/Pyongyang", 2018),       # half an hour forward
    ("Asia/Tehran", 2022),          # for the last time
    ("Australia/Lord_Howe", 2026),  # half an hour
    ("Europe/Dublin", 2026),        # winter time is the odd one
    ("Europe/Istanbul", 2016),      # stays in summer
    ("Europe/Moscow", 2014),        # an hour back for good
    ("Pacific/Apia", 2011),         # loses a day
    ("Pacific/Kwajalein", 1993),    # loses a day
    ("Pacific/Chatham", 2026),      # at 2:45
]
TIMES_OF_DAY = [
    "0 0 * * *", "1 0 * * *", "30 0 * * *", "0 1 * * *", "30 1 * * *", "0 2 * * *",
    "15 2 * * *", "30 2 * * *", "59 2 * * *", "0 3 * * *", "45 3 * * *", "0 12 * * *",
    "59 23 * * *", "0,30 0-4 * * *", "0-59/20 2 * * *", "5,35 1-3/2 * * 7",
    "10 1,2,3 * 3,4,10,11 0", "0 6 * * MON-FRI", "0 22-23 * * 6", "0 0 1 * *",
    "0 0 31 * *", "0 0 29 2 *", "0 6 30 12 *", "0 0 13 * FRI", "0 0 1-7 * */7",
    "0 4 */2 * *", "30 2 * MAR,oct,nov sun", "17 3 1,15 JAN-DEC/2 *", "0 0 1 1 *",
    "5/25 2-23/7 2-30/4 * 1-5",
]
# With whether cronsim is quick enough to be asked.
INTERVALS = [
    ("0 * * * *", True), ("30 */6 * * *", True), ("15 */2 * * *", True),
    ("5 * * 3,10 SUN", True), ("45 * 1 * *", True), ("*/10 2 * * *", True),
    ("*/30 0,23 */3 * *", True), ("*/15 * * * *", False), ("* * * * SUN", False),
    ("*/20 1-3 * * *", False), ("*/5 0 * * *", False), ("*/7 */3 * 3-11/2 */3", False),
    ("* 2 29 2 *", False),
]


def epoch(moment: datetime.datetime) -> int:
    """Whole seconds since 1970."""
    return calendar.timegm(moment.astimezone(UTC).timetuple())


def year_of(year: int) -> tuple[int, int]:
    """The seconds from which on a year is, and to which."""
    return tuple(epoch(datetime.datetime(y, 1, 1, tzinfo=UTC)) for y in (year, year + 1))


def ask(lister: str, folder: pathlib.Path, questions: list[list]) -> list[numpy.ndarray]:
    """The numbers that the lister answers each question with."""
    text = "".join("\t".join(map(str, question)) + "\n" for question in questions)
    done = subprocess.run([lister], input=text, capture_output=True, text=True, check=False,
                          timeout=120, env={**os.environ, "TZDIR": str(folder)})
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != len(questions):
        raise Failure(f"the lister ended with {done.returncode}: {done.stderr[:500]}")
    for question, line in zip(questions, lines):
        if line.startswith("error"):
            raise Failure(f"{question[:4]}: {line}")
    return [numpy.array(line.split(), dtype=numpy.int64) for line in lines]


def spans(zone: zoneinfo.ZoneInfo, begin: int, end: int,
          step: int = 6 * 3600) -> list[tuple[int, int, int]]:
    """(from, to, offset) of the times in which clocks stay as they are; looks each `step`."""
    def offset(at: int) -> int:
        moment = datetime.datetime.fromtimestamp(at, UTC).astimezone(zone)
        return int(moment.utcoffset().total_seconds())

    found = []
    start, here = begin, offset(begin)
    for at in range(begin, end, step):
        upper = min(at + step, end)
        if offset(upper) == here:
            continue
        low, high = at, upper  # the change is after low, not after high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == here else (low, middle)
        found.append((start, high, here))
        start, here = high, offset(high)
    return [*found, (start, end, here)]


class Minutes:
    """All minutes that clocks show in a time, with the parts of each."""

    def __init__(self, parts: list[tuple[int, int, int]]):
        shown = [numpy.arange(-((begin + offset) // -60), -((end + offset) // -60))
                 for begin, end, offset in parts]
        self.instants = numpy.concatenate(
            [minutes * 60 - offset for minutes, (_, _, offset) in zip(shown, parts)])
        minutes = numpy.concatenate(shown)
        days = minutes // 1440
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        self.fields = [part.astype(numpy.int8) for part in (
            minutes % 60, minutes // 60 % 24, (dates - months).astype(int) + 1,
            months.astype(int) % 12 + 1, (days + 4) % 7)]

    def fitting(self, expression: str) -> numpy.ndarray:
        """The instants at which clocks show a minute that fits, in order: looks at each."""
        cron = cronsim.CronSim(expression, datetime.datetime(2000, 1, 1))
        sets = [cron.minutes, cron.hours, cron.days, cron.months,
                {day % 7 for day in cron.weekdays}]
        fits = []
        for part, numbers in zip(self.fields, sets):
            wanted = numpy.zeros(64, dtype=bool)
            wanted[list(numbers)] = True
            fits.append(wanted[part])
        minute, hour, day, month, weekday = fits
        by_day = day & weekday if cron.day_and else day | weekday
        return self.instants[minute & hour & month & by_day]


def by_cronsim(expression: str, zone: zoneinfo.ZoneInfo, begin: int, end: int) -> numpy.ndarray:
    """The same by cronsim; two that fall on one instant are one."""
    start = datetime.datetime.fromtimestamp(begin - 60, UTC).astimezone(zone)
    found = []
    for moment in cronsim.CronSim(expression, start):
        at = epoch(moment)
        if at >= end:
            break
        if at >= begin and (not found or found[-1] != at):
            found.append(at)
    return numpy.array(found, dtype=numpy.int64)


def differences(ours: numpy.ndarray, theirs: numpy.ndarray, what: str) -> list[str]:
    """What one of them has and the other lacks."""
    if numpy.array_equal(ours, theirs):
        return []
    wrong = sorted(numpy.setxor1d(ours, theirs).tolist())[:3]
    at = ", ".join(datetime.datetime.fromtimestamp(one, UTC).isoformat() for one in wrong)
    return [f"{what}: {len(ours)} instants, not {len(theirs)}; one alone has {at or 'none'}"]


def check_place(lister: str, name: str, year: int) -> tuple[int, list[str]]:
    """How many instants were compared, and what differed."""
    zoneinfo.reset_tzpath([PINNED])
    zone = zoneinfo.ZoneInfo.no_cache(name)
    begin, end = year_of(year)
    parts = spans(zone, begin, end)
    minutes = Minutes(parts)
    expressions = TIMES_OF_DAY + [expression for expression, _ in INTERVALS]
    answers = ask(lister, PINNED, [["cron", name, expression, begin, end]
                                   for expression in expressions])
    ours = dict(zip(expressions, answers))
    faults = []
    for expression in TIMES_OF_DAY:
        what = f"{name} {year} '{expression}'"
        faults += differences(ours[expression], by_cronsim(expression, zone, begin, end), what)
    for expression, is_quick in INTERVALS:
        what = f"{name} {year} '{expression}'"
        faults += differences(ours[expression], minutes.fitting(expression), what)
        if not is_quick:
            continue
        theirs = by_cronsim(expression, zone, begin, end)
        mine = ours[expression]
        for changed in [part[1] for part in parts[:-1]]:
            theirs = theirs[abs(theirs - changed) > 86400 * 1.5]
            mine = mine[abs(mine - changed) > 86400 * 1.5]
        faults += differences(mine, theirs, what + " by cronsim")
    faults += check_amid(lister, name, dict(zip(expressions, answers)), parts)
    return sum(len(answer) for answer in answers), faults


def check_amid(lister: str, name: str, known: dict, parts: list) -> list[str]:
    """Whoever asks amid a change of clocks gets what comes then, and nothing again."""
    last = parts[-1][1]
    questions = [["cron", name, expression, change + after, min(change + 2 * 86400, last)]
                 for expression in known for _, change, _ in parts[:-1]
                 for after in (-1801, -1, 0, 1, 1201, 2400, 5999)]
    faults = []
    for question, ours in zip(questions, ask(lister, PINNED, questions)):
        _, _, expression, begin, end = question
        theirs = known[expression]
        theirs = theirs[(theirs >= begin) & (theirs < end)]
        faults += differences(ours, theirs, f"{name} '{expression}' from {begin} on")
    return faults


def check_offsets(lister: str, folder: pathlib.Path, seed: int) -> None:
    """All zones of a folder, at random instants and around what changes."""
    zoneinfo.reset_tzpath([folder])
    names = sorted(name for name in zoneinfo.available_timezones()
                   if (folder / name).is_file() and not name.startswith(("right/", "posix/")))
    if len(names) < 400:
        raise Failure(f"only {len(names)} zones in {folder}")
    chance = random.Random(seed)
    first, last = year_of(1900)[0], year_of(2100)[1]
    moments = {}
    for name in names:
        zone = zoneinfo.ZoneInfo.no_cache(name)
        moments[name] = [chance.randrange(first, last) for _ in range(300)]
        year = chance.randrange(1900, 2101)
        for _, end, _ in spans(zone, *year_of(year), 5 * 86400)[:-1]:
            moments[name] += [end - 1, end]
    answers = ask(lister, folder, [["offsets", name, *moments[name]] for name in names])
    for name, ours in zip(names, answers):
        zone = zoneinfo.ZoneInfo.no_cache(name)
        for at, offset in zip(moments[name], ours.tolist()):
            moment = datetime.datetime.fromtimestamp(at, UTC).astimezone(zone)
            theirs = int(moment.utcoffset().total_seconds())
            if theirs != offset:
                raise Failure(f"{name} at {moment.astimezone(UTC)}: {offset}, not {theirs} "
                              f"(--seed {seed})")
    print(f"      {len(names)} zones, {sum(map(len, moments.values()))} instants")


def main() -> None:
    """Adds the cases and runs them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lister")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    suite = Suite("schedule", parser)
    lister = str(pathlib.Path(suite.options.lister).resolve())
    seed = suite.options.seed

    @suite.case("instants of a year are those of others, in all zones")
    def _(_folder: pathlib.Path) -> None:
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            checks = [pool.submit(check_place, lister, *place) for place in PLACES]
            done = [check.result() for check in checks]
        faults = [fault for _, some in done for fault in some]
        if faults:
            raise Failure("\n  ".join(faults[:20]))
        count = sum(count for count, _ in done)
        print(f"      {len(PLACES)} places, {len(TIMES_OF_DAY) + len(INTERVALS)} expressions, "
              f"{count:,} instants")

    @suite.case("offsets are those of zoneinfo, from Debian's files")
    def _(_folder: pathlib.Path) -> None:
        check_offsets(lister, SYSTEM, seed)

    @suite.case("offsets are those of zoneinfo, from PyPI's files")
    def _(_folder: pathlib.Path) -> None:
        check_offsets(lister, PINNED, seed)

    @suite.case("the command prints what the lister does")
    def _(folder: pathlib.Path) -> None:
        zones = ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana"]
        expressions = ["30 2 * * *", "0 * * * *", "0 0 * * SUN"]
        triggers = [(zone, expression) for zone in zones for expression in expressions]
        write_files(folder, {"p.yaml": "name: p\ntriggers:\n" + "".join(
            f"- {{cron: '{expression}', timezone: {zone}}}\n" for zone, expression in triggers)
            + "nodes:\n- {name: n, sources: [{data: {x: [1]}}], sinks: [{path: ./n}]}\n"})
        outcome = must(lakemill("schedule", "p.yaml", "--from", "2026-03-01", "--to", "2026-12-01",
                                "-n", "100000", "-o", "json", cwd=folder))
        begin, end = (epoch(datetime.datetime(2026, month, 1, tzinfo=UTC)) for month in (3, 12))
        theirs = ask(lister, SYSTEM, [["cron", *trigger, begin, end] for trigger in triggers])
        shown = json.loads(outcome.out)
        for printed, trigger, expected in zip(shown, triggers, theirs, strict=True):
            if (printed["timezone"], printed["schedule"]) != trigger:
                raise Failure(f"{printed['timezone']} {printed['schedule']}, not {trigger}")
            for column in ("utc", "local"):
                moments = [epoch(datetime.datetime.fromisoformat(one[column]))
                           for one in printed["instants"]]
                if moments != expected.tolist():
                    raise Failure(f"{trigger}: other instants by '{column}'")

    suite.run()


if __name__ == "__main__":
    main()
