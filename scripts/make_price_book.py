"""Make the price book's snapshot from the installed genai-prices package (see infertop/money/book/convert.py).

    python scripts/make_price_book.py --date 2026-11-10

The date is the day whose prices the package has: the one on which that version of it was released.
"""

from __future__ import annotations

import argparse
from datetime import date
from importlib.metadata import version
from pathlib import Path

from genai_prices.data import providers

from infertop.money.book.convert import convert

TARGET = Path(__file__).parent.parent / "infertop" / "money" / "data" / "prices.json"


def main() -> None:
    """Write the snapshot to where it is shipped from, or to --out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--date", type=date.fromisoformat, required=True, help="the day of the prices, YYYY-MM-DD")
    parser.add_argument("--out", type=Path, default=TARGET)
    asked = parser.parse_args()
    text = convert(providers, version("genai-prices"), asked.date.isoformat())
    asked.out.write_text(text, encoding="utf-8")
    print(f"{asked.out}: {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
