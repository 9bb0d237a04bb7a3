"""How the report looks, in light and in dark."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1c2026; --soft: #59616d; --line: #d5d9e0;
  --check: #c9ced8; --check-light: #e6e9ee;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121317; --card: #1b1d23; --ink: #e3e6eb; --soft: #a0a7b3; --line: #33373f;
    --check: #3a4052; --check-light: #586076;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem; max-width: 1560px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
p, ul { margin: .4rem 0; max-width: 75ch; }
.soft { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; background: var(--card); font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: right; }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; }
td.left, th.left { text-align: left; }
article {
  margin: 1rem 0; padding: .8rem 1rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px;
}
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 1rem; }
.narrow { max-width: 480px; }
figure { margin: .5rem 0 0; }
figcaption { color: var(--soft); font-size: .85rem; }
figure img { display: block; width: 100%; max-width: 720px; }
img.pixels { image-rendering: pixelated; }
.sprites { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; }
.sprites figure { margin: 0; text-align: center; }
.sprites img {
  margin: 0 auto; background: repeating-conic-gradient(var(--check) 0 25%, var(--check-light) 0 50%)
  0 0 / 4px 4px;
}
.key { display: inline-block; width: 1.2em; height: .9em; margin-right: .4em; background: #222; }
"""
