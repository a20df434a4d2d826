"""A plot of bars as SVG, legible on light and dark pages."""

from xml.sax.saxutils import escape

WIDTH = 760
LABEL = 230
BAR = 20
STEP = 30
TITLE = 46
RIGHT = 120

STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .small { font-size: 12px; fill: #59636e }
  .own { fill: #1a7f64 } .other { fill: #8c959f } .axis { stroke: #8c959f; stroke-width: 1 }
  .limit { stroke: #bc4c00; stroke-width: 2; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 }
    .own { fill: #3fb68b } .other { fill: #6e7681 } .axis { stroke: #6e7681 } .limit { stroke: #f0883e }
  }
"""


def svg(panels, caption):
    """Panels, each a title and bars: (label, value, text, whether it is this program's, its limit or None)."""
    parts, top = [], 8
    for title, bars in panels:
        most = max(max(value, limit or 0) for _, value, _, _, limit in bars) or 1
        scale = (WIDTH - LABEL - RIGHT) / most
        parts.append(f'<text class="title" x="8" y="{top + 20}">{escape(title)}</text>')
        y = top + TITLE - 12
        bottom = y + STEP * len(bars)
        parts.append(f'<line class="axis" x1="{LABEL}" y1="{y - 4}" x2="{LABEL}" y2="{bottom - 4}"/>')
        for label, value, text, own, limit in bars:
            length = max(value * scale, 1)
            middle = y + BAR / 2 + 5
            parts.append(f'<text x="{LABEL - 10}" y="{middle}" text-anchor="end">{escape(label)}</text>')
            parts.append(f'<rect class="{"own" if own else "other"}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>')
            end = LABEL + length
            if limit:
                x = LABEL + limit * scale
                parts.append(f'<line class="limit" x1="{x:.1f}" y1="{y - 3}" x2="{x:.1f}" y2="{y + BAR + 3}"/>')
                # Beside the bar, unless the line is in the way.
                if end - 4 <= x <= end + 16 + 8 * len(text):
                    end = x
            parts.append(f'<text x="{end + 8:.1f}" y="{middle}">{escape(text)}</text>')
            y += STEP
        top = bottom + 12
    parts.append(f'<text class="small" x="8" y="{top + 10}">{escape(caption)}</text>')
    height = top + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">'
        f"\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )
