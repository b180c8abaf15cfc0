"""A gauging station's data in classes of every kind that a flow file may define; each task says whether it fits."""

import abc
import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import types
import typing
import uuid

from turgo import flow, task


class Reading(typing.NamedTuple):
    """A class that a metaclass rebuilds from its annotations."""

    station: str
    level: float = 0.5


Flood = collections.namedtuple("Flood", ["station", "days"])  # noqa: PYI024  (the old way is what it shows)


class Gauge(typing.TypedDict, total=False):
    """A dict to the interpreter, a class to its author."""

    station: str


class Trend(enum.Enum):
    """Members are compared by identity."""

    RISING = 1
    FALLING = -1


class Unit(enum.StrEnum):
    """Members that are strings as well."""

    METRE = "m"


class Alarm(enum.IntFlag):
    """Members that can be combined into one that is in no class body."""

    HIGH = 1
    FAST = 2


class Place(enum.Enum):
    """Members with attributes that their own `__init__` computes, and one with another name."""

    LEITH = (1.0, "m")
    DOVER = (2.0, "ft")
    HOME = LEITH

    def __init__(self, level: float, unit: str) -> None:
        self.level, self.unit = level, unit


class Code(enum.StrEnum):
    """Members that their own `__new__` makes, with more than their values."""

    LOW = ("l", "a low level")

    def __new__(cls, value: str, text: str) -> typing.Self:
        """Keep the text beside the value."""
        member = str.__new__(cls, value)
        member._value_, member.text = value, text  # type: ignore[attr-defined]
        return member


class Founded(datetime.date, enum.Enum):
    """Members that are dates as well."""

    LEITH = 1990, 5, 17


class Rule(enum.Enum):
    """Members whose values are functions."""

    MEAN = enum.member(lambda one, other: (one + other) / 2)


class Access(enum.Flag):
    """One member is made of others."""

    READ = 1
    WRITE = 2
    BOTH = READ | WRITE


class Sensor(typing.Protocol):
    """What has a level."""

    def level(self) -> float: ...


class Float(Sensor):
    """Derives from a protocol."""

    def level(self) -> float:
        return 1.5


class Device(abc.ABC):
    """Abstract."""

    @abc.abstractmethod
    def name(self) -> str: ...

    def title(self) -> str:
        return self.name().title()


class Radar(Device):
    """Concrete, and calls the class above."""

    def name(self) -> str:
        return "radar"

    def title(self) -> str:
        return super().title() + "!"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Sample:
    """Frozen, with slots, and holds values of other classes here."""

    reading: Reading
    trend: Trend = Trend.RISING
    tags: tuple[str, ...] = dataclasses.field(default=(), compare=False)


@dataclasses.dataclass
class Series:
    """Mutable, and finished after `__init__`."""

    levels: list[float]
    mean: float = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.mean = sum(self.levels) / len(self.levels)


Item = typing.TypeVar("Item")


class Box(typing.Generic[Item]):
    """Generic, with an alias that names its parameter."""

    def __init__(self, item: Item) -> None:
        self.item = item


class Packed:
    """Has slots, and says itself what its state is."""

    __slots__ = ("level",)

    def __init__(self, level: float) -> None:
        self.level = level

    def __getstate__(self) -> float:
        return self.level

    def __setstate__(self, state: float) -> None:
        self.level = state


class Levels(dict):
    """A dict with something more."""

    unit = "m"

    def __init__(self, **levels: float) -> None:
        super().__init__(levels)
        self.count = len(levels)


class Named(type):
    """A metaclass that keeps the classes that it made."""

    made: typing.ClassVar[list[str]] = []

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, object]) -> type:
        cls.made.append(name)
        return super().__new__(cls, name, bases, body)


class Pump(metaclass=Named):
    """Made by it."""


class Plugin:
    """Keeps its subclasses by name."""

    known: typing.ClassVar[dict[str, type]] = {}

    def __init_subclass__(cls, /, key: str, **options: object) -> None:
        super().__init_subclass__(**options)
        cls.known[key] = cls


class Valve(Plugin, key="valve"):
    """One of them."""


class Positive:
    """A descriptor."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = "_" + name

    def __get__(self, instance: object, owner: type | None = None) -> typing.Any:
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance: object, value: float) -> None:
        if value <= 0:
            raise ValueError(value)
        setattr(instance, self.name, value)


class Tank:
    """Checks by a descriptor, and has a class within."""

    volume = Positive()

    class Lid:
        """Within."""

        closed = True

    def __init__(self, volume: float) -> None:
        self.volume = volume

    @classmethod
    def small(cls) -> "Tank":
        return cls(1.0)

    @property
    def half(self) -> float:
        return self.volume / 2

    @staticmethod
    def spilled(by: float) -> float:
        return by * 2


class Node:
    """A tree whose leaves know the branch above."""

    def __init__(self, above: "Node | None" = None) -> None:
        self.above = above
        self.below = [] if above else [Node(self), Node(self)]


class Moment(datetime.datetime):
    """Derives from a class written in C."""

    def quarter(self) -> int:
        return (self.month - 1) // 3 + 1


class OverflowingError(Exception):
    """An error that is a value here, with an attribute."""

    def __init__(self, tank: str, by: float) -> None:
        super().__init__(f"{tank} by {by}")
        self.by = by


Height = typing.NewType("Height", float)
Pair = tuple[Reading, Reading]


def flooded(flood: "Flood") -> int:
    return flood.days


@task
def named_tuple() -> object:
    return Reading("Leith", 1.0)


@task
def named_tuple_as_argument(reading: Reading) -> bool:
    return isinstance(reading, Reading) and reading.level == 1.0 and reading._replace(level=2.0).level == 2.0


@task
def old_named_tuple(flood: Flood) -> bool:
    return isinstance(flood, Flood) and flood.days == 3


@task
def typed_dict() -> bool:
    return Gauge(station="Leith") == {"station": "Leith"} and Gauge.__total__ is False


@task
def enum_member(trend: Trend) -> bool:
    return trend is Trend.RISING and trend in Trend and Trend(1) is trend


@task
def enum_of_strings(unit: Unit) -> bool:
    return unit is Unit.METRE and f"{unit}" == "m"


@task
def enum_flags(alarm: Alarm) -> bool:
    return alarm == Alarm.HIGH | Alarm.FAST and Alarm.FAST in alarm


@task
def enum_with_init(place: Place) -> tuple[typing.Any, ...]:
    return place.level, place.unit, [each.unit for each in Place], Place.HOME is place, Place["HOME"] is place


@task
def enum_with_new(code: Code) -> tuple[typing.Any, ...]:
    return code is Code.LOW, code.text, Code("l") is code, code == "l"  # type: ignore[attr-defined]


@task
def enum_of_dates(founded: Founded) -> tuple[typing.Any, ...]:
    return founded is Founded.LEITH, founded.isoformat()


@task
def enum_of_functions(rule: Rule) -> tuple[typing.Any, ...]:
    return rule is Rule.MEAN, rule.value(1, 2)


@task
def enum_of_combined(access: Access) -> tuple[typing.Any, ...]:
    return (
        access is Access.BOTH,
        access.name,
        Access["BOTH"] is access,
        Access.READ in access,
        [*Access.__members__],
    )


@task
def enum_class(trend: type[Trend]) -> bool:
    return trend is Trend and len(trend) == 2


@task
def protocol() -> float:
    return Float().level()


@task
def abstract() -> str:
    return Radar().title()


@task
def frozen_with_slots() -> object:
    return Sample(Reading("Leith"), Trend.FALLING, ("a",))


@task
def same_frozen(sample: Sample) -> bool:
    return sample == Sample(Reading("Leith"), Trend.FALLING) and hash(sample.reading) is not None


@task
def dataclass(series: Series) -> float:
    return dataclasses.replace(series, levels=[4.0]).mean + series.mean


@task
def generic(box: "Box[int]") -> int:
    return Box[int](box.item + 1).item


@task
def own_state(packed: Packed) -> float:
    return packed.level


@task
def dict_and_more(levels: Levels) -> tuple[int, str, float]:
    return levels.count, levels.unit, levels["a"]


@task
def metaclass(pump: Pump) -> bool:
    return type(type(pump)) is Named and type(pump) is Pump and Named.made.count("Pump") == 1


@task
def subclass_registry() -> bool:
    return Plugin.known == {"valve": Valve}


@task
def descriptor(tank: Tank) -> float:
    return tank.half + Tank.small().volume + Tank.spilled(1.0)


@task
def nested_class(lid: Tank.Lid) -> bool:
    return type(lid) is Tank.Lid and lid.closed


@task
def tree(root: Node) -> bool:
    return all(leaf.above is root for leaf in root.below)


@task
def subclass_of_builtin(moment: Moment) -> int:
    return moment.quarter()


@task
def error_as_value(error: OverflowingError) -> tuple[str, str, float]:
    return type(error).__name__, str(error), error.by


@task
def made_within() -> object:
    class Row(typing.NamedTuple):
        level: float

    @dataclasses.dataclass
    class Column:
        rows: list[Row]

    return sum(row.level for row in Column([Row(1.0), Row(2.0)]).rows)


@task
def class_in_a_closure(make: typing.Callable[[], typing.Any]) -> float:
    return make().level


@task
def bound_method(half: typing.Callable[[], float]) -> float:
    return half()


@task
def partial_class(fn: typing.Callable[..., typing.Any]) -> bool:
    return fn(level=3.0) == Reading("Leith", 3.0)


@task
def hints() -> bool:
    found = typing.get_type_hints(Sample)
    return found["reading"] is Reading and found["trend"] is Trend


@task
def hints_of_a_function(x: "Pair | None" = None) -> bool:
    return typing.get_type_hints(flooded)["flood"] is Flood


@task
def height(height: Height) -> float:
    return Height(height + 1)


@task
def of_the_library(values: list[object]) -> list[str]:
    return [type(value).__name__ for value in values]


@task
def classes(kinds: list[type]) -> bool:
    return kinds == [Reading, Tank, Trend, OverflowingError, Radar]


@task
def namespace(space: types.SimpleNamespace) -> float:
    return space.reading.level


@task
def judged(made: object, sample: object) -> tuple[bool, bool]:
    """Values that other tasks made are of the classes here."""
    return made == Reading("Leith", 1.0) and type(made) is Reading, type(sample) is Sample


@flow
def shapes() -> object:
    """Every kind, by name."""
    made, sample = named_tuple(), frozen_with_slots()
    prefix = "x"

    def make() -> Reading:
        return Reading(prefix, 6.0)

    return {
        "named_tuple_as_argument": named_tuple_as_argument(made),
        "old_named_tuple": old_named_tuple(Flood("Leith", 3)),
        "typed_dict": typed_dict(),
        "enum_member": enum_member(Trend.RISING),
        "enum_of_strings": enum_of_strings(Unit.METRE),
        "enum_flags": enum_flags(Alarm.HIGH | Alarm.FAST),
        "enum_with_init": enum_with_init(Place.LEITH),
        "enum_with_new": enum_with_new(Code.LOW),
        "enum_of_dates": enum_of_dates(Founded.LEITH),
        "enum_of_functions": enum_of_functions(Rule.MEAN),
        "enum_of_combined": enum_of_combined(Access.BOTH),
        "enum_class": enum_class(Trend),
        "protocol": protocol(),
        "abstract": abstract(),
        "same_frozen": same_frozen(sample),
        "dataclass": dataclass(Series([1.0, 2.0])),
        "generic": generic(Box(1)),
        "own_state": own_state(Packed(2.5)),
        "dict_and_more": dict_and_more(Levels(a=1.0)),
        "metaclass": metaclass(Pump()),
        "subclass_registry": subclass_registry(),
        "descriptor": descriptor(Tank(3.0)),
        "nested_class": nested_class(Tank.Lid()),
        "tree": tree(Node()),
        "subclass_of_builtin": subclass_of_builtin(Moment(2026, 5, 1)),
        "error_as_value": error_as_value(OverflowingError("north", 2.0)),
        "made_within": made_within(),
        "class_in_a_closure": class_in_a_closure(make),
        "bound_method": bound_method(Radar().title),
        "partial_class": partial_class(functools.partial(Reading, "Leith")),
        "hints": hints(),
        "hints_of_a_function": hints_of_a_function(),
        "height": height(Height(1.0)),
        "of_the_library": of_the_library([decimal.Decimal(1), pathlib.PurePosixPath("a"), uuid.UUID(int=1)]),
        "classes": classes([Reading, Tank, Trend, OverflowingError, Radar]),
        "namespace": namespace(types.SimpleNamespace(reading=Reading("Leith", 7.0))),
        "judged": judged(made, sample),
    }


RIGHT = {
    "named_tuple_as_argument": True,
    "old_named_tuple": True,
    "typed_dict": True,
    "enum_member": True,
    "enum_of_strings": True,
    "enum_flags": True,
    "enum_with_init": (1.0, "m", ["m", "ft"], True, True),
    "enum_with_new": (True, "a low level", True, True),
    "enum_of_dates": (True, "1990-05-17"),
    "enum_of_functions": (True, 1.5),
    "enum_of_combined": (True, "BOTH", True, True, ["READ", "WRITE", "BOTH"]),
    "enum_class": True,
    "protocol": 1.5,
    "abstract": "Radar!",
    "same_frozen": True,
    "dataclass": 5.5,
    "generic": 2,
    "own_state": 2.5,
    "dict_and_more": (1, "m", 1.0),
    "metaclass": True,
    "subclass_registry": True,
    "descriptor": 4.5,
    "nested_class": True,
    "tree": True,
    "subclass_of_builtin": 2,
    "error_as_value": ("OverflowingError", "north by 2.0", 2.0),
    "made_within": 3.0,
    "class_in_a_closure": 6.0,
    "bound_method": "Radar!",
    "partial_class": True,
    "hints": True,
    "hints_of_a_function": True,
    "height": 2.0,
    "of_the_library": ["Decimal", "PurePosixPath", "UUID"],
    "classes": True,
    "namespace": 7.0,
    "judged": (True, True),
}

if __name__ == "__main__":
    print(shapes())
