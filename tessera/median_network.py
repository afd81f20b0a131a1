"""Networks of comparisons that find the medians of squares, for whole rows of an image at once.

Rows one below the other share most of their squares. What four of them share is sorted first, all that can't
be a median of theirs is left out, and the rest is merged with what each two of them have beside, and then
each one. Within a row, sorted columns are merged to pairs and fours, which serve every square they are in.
(A. Adams, Fast Median Filters Using Separable Sorting Networks, ACM Transactions on Graphics 40(4), 2021;
merging: K. E. Batcher, Sorting Networks and Their Applications, AFIPS 1968.)
"""

from typing import NamedTuple


class Row(NamedTuple):
    """A row of samples, and from which column on it is meant."""

    number: int
    column: int = 0


class Exchange(NamedTuple):
    """Two rows are compared sample by sample; the lower and the higher ones are new rows.

    *beyond* is how many columns more than the result has are wanted of them.
    """

    first: Row
    second: Row
    lower: int
    higher: int
    beyond: int


class Network:
    """Exchanges in order, on rows of which the first *inputs* are given. Lists of rows are sorted."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.exchanges: list[Exchange] = []

    def exchange(self, first: Row, second: Row, beyond: int = 0) -> tuple[Row, Row]:
        """Return the lower and the higher samples."""
        lower = self.inputs + 2 * len(self.exchanges)
        self.exchanges.append(Exchange(first, second, lower, lower + 1, beyond))
        return Row(lower), Row(lower + 1)

    def merge(self, first: list[Row], second: list[Row], beyond: int = 0) -> list[Row]:
        """Return two sorted lists as one: what has even places is merged, what has odd ones, and both."""
        if not first or not second:
            return first or second
        if len(first) == len(second) == 1:
            return list(self.exchange(first[0], second[0], beyond))
        even = self.merge(first[::2], second[::2], beyond)
        odd = self.merge(first[1::2], second[1::2], beyond)
        both = min(len(even) - 1, len(odd))
        pairs = (self.exchange(*pair, beyond) for pair in zip(odd[:both], even[1 : both + 1], strict=True))
        return [even[0], *(row for pair in pairs for row in pair), *odd[both:], *even[both + 1 :]]

    def sort(self, rows: list[Row], beyond: int) -> list[Row]:
        """Return the rows in order."""
        half = len(rows) // 2
        if not half:
            return rows
        return self.merge(self.sort(rows[:half], beyond), self.sort(rows[half:], beyond), beyond)

    def between(self, first: list[Row], second: list[Row], low: int, high: int) -> list[Row]:
        """Return the places from *low* to *high* of two sorted lists together."""
        first, second, cut = _candidates(first, second, low, high)
        return self.merge(first, second)[low - cut : high + 1 - cut]

    def at(self, first: list[Row], second: list[Row], place: int) -> Row:
        """Return one place of two sorted lists together: the least of what tops each way to take so many."""
        first, second, cut = _candidates(first, second, place, place)
        taken = place + 1 - cut
        tops = [
            self._higher(first[i - 1 : i], second[taken - i - 1 : taken - i])
            for i in range(max(0, taken - len(second)), min(taken, len(first)) + 1)
        ]
        while len(tops) > 1:
            pairs = zip(tops[:-1:2], tops[1::2], strict=True)
            tops = [self.exchange(*pair)[0] for pair in pairs] + tops[len(tops) // 2 * 2 :]
        return tops[0]

    def _higher(self, first: list[Row], second: list[Row]) -> Row:
        """Return the higher of two rows, of which one may be missing."""
        return self.merge(first, second)[-1]


def _candidates(first: list[Row], second: list[Row], low: int, high: int) -> tuple[list[Row], list[Row], int]:
    """Return what can be in these places of both together, and how much below it was left out."""
    skipped = max(0, low - len(second)), max(0, low - len(first))
    return first[skipped[0] : high + 1], second[skipped[1] : high + 1], sum(skipped)


def medians(side: int, count: int) -> tuple[Network, list[Row]]:
    """Return a network on ``side + count - 1`` rows of an image, and the *count* rows of medians it finds.

    A median is that of a square of *side* columns and rows, odd, at least 5, which begins at its column;
    *count* is 2 or more.
    """
    network, found = Network(side + count - 1), dict[int, Row]()
    middle = side * side // 2

    def find(shared: list[Row], lowest: int, start: int, count: int) -> None:
        """Find some rows from what can be their medians; *lowest* samples of theirs are below all of it."""
        half = count // 2
        for first, number in ((start, half), (start + half, count - half)):
            rows = set(_shared(first, number, side)) - set(_shared(start, count, side))
            more = network.merge(*_window(network, sorted(rows), side))
            if number == 1:
                found[first] = network.at(shared, more, middle - lowest)
            else:
                low, high = _places(side, number)
                find(network.between(shared, more, low - lowest, high - lowest), low, first, number)

    low, high = _places(side, count)
    find(network.between(*_window(network, _shared(0, count, side), side), low, high), low, 0, count)
    return network, [found[row] for row in range(count)]


def _shared(start: int, count: int, side: int) -> range:
    """Return the rows that all squares of *count* rows of medians have."""
    return range(start + count - 1, start + side)


def _places(side: int, count: int) -> tuple[int, int]:
    """Return where in the order of what *count* rows share their medians can be, first and last."""
    middle, others = side * side // 2, (count - 1) * side
    return max(0, middle - others), min(middle, side * side - others - 1)


def _window(network: Network, rows: range | list[int], side: int) -> tuple[list[Row], list[Row]]:
    """Return two sorted lists that hold all samples of *side* columns of some rows."""
    widths = [1 << bit for bit in reversed(range(side.bit_length())) if side >> bit & 1]
    sorted_of, width = {1: network.sort([Row(row) for row in rows], side - 1)}, 1
    while width < widths[0]:
        both = sorted_of[width], _from(sorted_of[width], width)
        width *= 2
        sorted_of[width] = network.merge(*both, 0 if width == widths[0] else side - width)
    rest, column = list[Row](), side
    for width in reversed(widths[1:]):
        column -= width
        rest = network.merge(rest, _from(sorted_of[width], column))
    return sorted_of[widths[0]], rest


def _from(rows: list[Row], column: int) -> list[Row]:
    return [Row(row.number, row.column + column) for row in rows]
