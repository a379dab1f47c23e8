"""Count the mistakes of the corpus of tests/diagnosis that `compare` finds and explains, and print the others."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "diagnosis"))

from mistakes_corpus import cases, row_of, run  # type: ignore[import-not-found]


def main() -> None:
    """Print the cases that are not as they should be, and the counts."""
    only = next((arg for arg in sys.argv[1:] if arg != "-v"), "")
    wrong = found = explained = false = right = blamed = 0
    slowest = 0.0
    for case in cases():
        if only not in case.title:
            continue
        run(case)
        start = time.perf_counter()
        row = row_of(case)
        slowest = max(slowest, time.perf_counter() - start)
        note = "; ".join(row.notes)
        if case.right:
            right += 1
            blamed += not row.ok
            if not row.ok:
                print(f"RIGHT, called wrong: {case.title}: {case.name} = {case.expression}: {row} {note}")
            continue
        wrong += 1
        found += not row.ok
        good = case.explained_by(note) if case.wanted else True
        bad = [word for word in case.forbidden if word in note]
        explained += bool(good and case.wanted)
        false += bool(bad)
        if not good or bad or row.ok or "-v" in sys.argv:
            mark = "ok" if good and not bad else "FALSE" if bad else "UNEXPLAINED"
            print(f"{mark}: {case.title}: {case.name} = {case.expression}\n    {note or row}")
    print(f"right {right}, called wrong {blamed}; wrong {wrong}, found {found}, explained {explained}, falsely {false}")
    print(f"slowest {slowest:.2f} s")


if __name__ == "__main__":
    main()
