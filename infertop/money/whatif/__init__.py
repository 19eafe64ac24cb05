"""What measured traffic would cost elsewhere and at other sizes: pure formulas, money in Decimal."""
