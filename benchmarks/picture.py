"""Bars in SVG, readable on light and on dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .small { font-size: 11px; fill: #59636e }
    .room { fill: #d1d9e0; opacity: .5 }
    .bar { fill: #0969da }
    .missed { fill: #bc4c00 }
    .goal { stroke: #1f2328; stroke-width: 2 }
    .peer { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .small { fill: #9198a1 }
      .room { fill: #3d444d }
      .bar { fill: #4493f8 }
      .missed { fill: #f0883e }
      .goal { stroke: #f0f6fc }
      .peer { fill: #656c76 }
    }"""
_WIDTH, _LABELS, _SCALE = 880, 380, 350
_TOP, _STEP, _HEIGHT = 52, 34, 16


@dataclass(frozen=True)
class Bar:
    """One bar, from 0 to `most`; the goal is a stroke across it, the best peer a thin bar below it."""

    label: str
    value: float
    text: str
    goal: float | None = None
    peer: float | None = None
    is_missed: bool = False


def bars(title: str, legend: str, rows: Sequence[Bar], *, most: float = 1.0) -> str:
    """Return the picture. It needs no script and no font, and says in words what it shows."""
    height = _TOP + _STEP * len(rows) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"  <title>{escape(title)}</title>",
        f"  <desc>{escape('; '.join(f'{row.label}: {row.text}' for row in rows))}</desc>",
        f"  <style>{_STYLE}\n  </style>",
        f'  <text x="8" y="20" font-weight="600">{escape(title)}</text>',
        f'  <text x="8" y="38" class="small">{escape(legend)}</text>',
    ]
    for number, row in enumerate(rows):
        parts += _bar(row, _TOP + _STEP * number, most)
    return "\n".join([*parts, "</svg>", ""])


def _bar(row: Bar, top: int, most: float) -> list[str]:
    def along(value: float) -> float:
        return round(_SCALE * max(0.0, min(value / most, 1.0)), 1)

    kind = "missed" if row.is_missed else "bar"
    end = _LABELS + _SCALE + 10
    parts = [
        f'  <text x="{_LABELS - 10}" y="{top + 13}" text-anchor="end">{escape(row.label)}</text>',
        f'  <rect x="{_LABELS}" y="{top}" width="{_SCALE}" height="{_HEIGHT}" class="room"/>',
        f'  <rect x="{_LABELS}" y="{top}" width="{along(row.value)}" height="{_HEIGHT}" class="{kind}"/>',
        f'  <text x="{end}" y="{top + 13}">{escape(row.text)}</text>',
    ]
    below = top + _HEIGHT + 2
    if row.peer is not None:
        parts.append(f'  <rect x="{_LABELS}" y="{below}" width="{along(row.peer)}" height="5" class="peer"/>')
    if row.goal is not None:
        at = _LABELS + along(row.goal)
        parts.append(f'  <line x1="{at}" y1="{top - 3}" x2="{at}" y2="{top + _HEIGHT + 3}" class="goal"/>')
    return parts
