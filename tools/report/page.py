"""The page that tools/report fills in; see tools/html_page for its frame."""

TEMPLATE = """{% extends 'page' %}
{% block title %}Training report: {{ title }}{% endblock %}
{% block style %}
:root { --bad: #c0392b; }
h2 { margin-top: 2.8rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .8rem 0; }
table { width: auto; min-width: 50%; font-size: .87rem; }
th { font-weight: 600; vertical-align: bottom; }
td { vertical-align: top; }
td.below { color: var(--bad); }
td.text, th.text { text-align: left; }
table.facts td { text-align: left; overflow-wrap: anywhere; }
table.facts { width: 100%; }
table.facts td:first-child { width: 11rem; overflow-wrap: normal;
  color: var(--faint); }
.scroll td:first-child { overflow-wrap: normal; min-width: 8rem; }
.scroll td { white-space: nowrap; }
.scroll td.text, .scroll td:first-child { white-space: normal; }
.problems { border-left: 3px solid var(--bad); padding: .2rem .8rem; }
.problems p { margin: .2rem 0; overflow-wrap: anywhere; }
.track { width: 10rem; }
.track div { background: var(--bar); height: .7rem; min-width: 1px; }
.charts { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); }
.charts b { font-weight: 600; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 10px system-ui, sans-serif; fill: var(--faint); }
svg .end { text-anchor: end; }
svg .mid { text-anchor: middle; }
svg path { fill: none; }
svg .grid { stroke: var(--line); stroke-width: .5; }
svg .axis { stroke: var(--faint); stroke-width: .8; }
svg .phase { stroke: var(--faint); stroke-width: .8; stroke-dasharray: 3 3; }
svg .line { stroke: var(--bar); stroke-width: 1.6; stroke-linejoin: round;
  stroke-linecap: round; }
svg .raw { stroke: var(--bar); stroke-width: .8; opacity: .45; }
svg path.band { fill: var(--bar); opacity: .25; }
svg .bad { stroke: var(--bad); stroke-width: 1.4; }
svg .mark { fill: var(--bar); stroke: Canvas; stroke-width: .8; }
.grids { display: flex; flex-wrap: wrap; gap: 1rem; }
.grids figure { max-width: 100%; }
.columns { display: flex; font-size: .7rem; }
.columns span { flex: 1; text-align: center; padding: 0 .1rem; min-width: 0; }
.figures figure { margin: 1rem 0; }
.result figure { max-width: 36rem; }
pre { overflow-x: auto; font-size: .8rem; }
details { margin: .6rem 0; }
summary { cursor: pointer; }
{% endblock %}

{% macro trouble(problems) %}
{% if problems %}
<div class="problems">
{% for text in problems %}<p>{{ text }}</p>{% endfor %}
</div>
{% endif %}
{% endmacro %}

{% macro pairs(facts) %}
<table class="facts">
{% for name, value in facts.items() %}
<tr><td>{{ name }}</td><td>{{ value }}</td></tr>
{% endfor %}
</table>
{% endmacro %}

{% macro rows(cells) %}
<div class="scroll"><table>
<tr>{% for cell in cells[0] %}<th>{{ cell }}</th>{% endfor %}</tr>
{% for row in cells[1:] %}
<tr>{% for cell in row %}
<td{{ ' class=below' if cell.endswith('<') }}>{{ cell }}</td>
{% endfor %}</tr>
{% endfor %}
</table></div>
{% endmacro %}

{% macro grid(item) %}
<h3>{{ item.tag }}</h3>
<div class="grids">
{% for picture in item.pictures %}
<figure style="width:{{ 5.5 * item.columns | length }}rem">
<figcaption>{{ '{:,}'.format(picture.images) }} images</figcaption>
{% if item.columns | length > 1 %}
<div class="columns faint">
{% for name in item.columns %}<span>{{ name }}</span>{% endfor %}
</div>
{% endif %}
<img src="{{ picture.src }}"
 alt="{{ item.tag }} at {{ picture.images }} images">
</figure>
{% endfor %}
</div>
{% endmacro %}

{% macro show(stage) %}
<h2 id="{{ stage.name }}">{{ stage.name }}
{% if stage.equation %}<span class="faint">{{ stage.equation }}</span>
{% endif %}</h2>
{{ trouble(stage.problems) }}
{{ pairs(stage.facts) }}
{% if stage.charts %}
<h3>Curves</h3>
<p class="faint">{{ stage.drawn }} Dashed: a new phase begins.</p>
<div class="charts">
{% for chart in stage.charts %}
<figure><figcaption><b>{{ chart.name }}</b><br><span class="faint">last
{{ chart.last }}{{ '; ' if chart.notes }}{{ chart.notes }}</span></figcaption>
{{ chart.svg }}
</figure>
{% endfor %}
</div>
{% endif %}
{% if stage.halved %}
<details><summary>{{ stage.halved | length }} halvings</summary>
{% for text in stage.halved %}{{ text }}<br>{% endfor %}
</details>
{% endif %}
{% for item in stage.grids %}
{{ grid(item) }}
{% endfor %}
{% if stage.circumstances %}
<h3>Provenance</h3>
{{ pairs(stage.circumstances) }}
{% endif %}
<details><summary>Configuration</summary>
<pre>{{ stage.config }}</pre></details>
{% endmacro %}

{% macro evaluation(item) %}
<h2>Evaluation</h2>
<p class="faint">{{ item.name }}</p>
{{ trouble(item.problems) }}
{% for kind, content in item.blocks %}
{% if kind == 'heading' %}
<h3>{{ content }}</h3>
{% elif kind == 'table' %}
{{ rows(content) }}
{% elif kind == 'list' %}
<ul>{% for line in content %}<li>{{ line }}</li>{% endfor %}</ul>
{% else %}
<p class="faint">{{ content }}</p>
{% endif %}
{% endfor %}
<div class="figures">
{% for figure in item.figures %}
<figure><img src="{{ figure.src }}" alt="{{ figure.name }}">
<figcaption class="faint">{{ figure.name }}</figcaption></figure>
{% endfor %}
</div>
{% endmacro %}

{% block body %}
<h1>Training report</h1>
<p class="faint">{{ title }}, looked at on {{ date }} UTC.
{{ finished }} of {{ overview | length }} stages are finished.</p>
{{ trouble(problems) }}
<nav>
{% for row in overview if row.is_there %}
<a href="#{{ row.name }}">{{ row.name }}</a>
{% endfor %}
{% for item in evaluations %}
<a href="#evaluation-{{ loop.index }}">evaluation</a>
{% endfor %}
<a href="#settings">settings</a>
</nav>
<div class="scroll"><table>
<tr><th>stage</th><th class="text">state</th><th>images</th><th>duration</th>
<th>images/s</th><th>skipped</th><th>rollbacks</th></tr>
{% for row in overview %}
<tr><td>{{ row.name }}</td><td class="text">{{ row.state }}</td>
<td>{{ row.images }}</td><td>{{ row.duration }}</td><td>{{ row.rate }}</td>
<td>{{ row.skipped }}</td><td>{{ row.rollbacks }}</td></tr>
{% endfor %}
</table></div>
{% for figure in results %}
<div class="figures result"><figure><img src="{{ figure.src }}"
 alt="{{ figure.name }}"><figcaption class="faint">{{ figure.name
}}</figcaption></figure></div>
{% endfor %}
{% if times.steps %}
<h2>Time</h2>
<div class="scroll"><table>
<tr><th>component</th><th class="text">state</th><th>seconds</th><th></th></tr>
{% for step in times.steps %}
<tr><td>{{ step.name }}</td><td class="text">{{ step.state }}</td>
<td>{{ step.text }}</td>
<td><div class="track"><div style="width:{{ step.share }}%"></div></div></td>
</tr>
{% endfor %}
<tr><td>all, with imports</td><td></td><td>{{ '%.1f' % times.total }}</td>
<td></td></tr>
</table></div>
{% endif %}
<h2 id="settings">Settings</h2>
<h3>Where the run differs from its preset</h3>
{% if differences %}
<div class="scroll"><table>
<tr><th>setting</th><th>preset</th><th>of the preset</th><th>of the run</th>
<th class="text">stages</th></tr>
{% for row in differences %}
<tr><td>{{ row.name }}</td><td>{{ row.preset }}</td><td>{{ row.usual }}</td>
<td>{{ row.value }}</td><td class="text">{{ row.stages }}</td></tr>
{% endfor %}
</table></div>
<p class="faint">Presets are those of the version that wrote this page; the
whole configuration of each stage is at its end.</p>
{% else %}
<p class="faint">nowhere</p>
{% endif %}
{% if shared %}
<h3>The same for all stages</h3>
{{ pairs(shared) }}
{% endif %}
{% if data %}
<h3>Data: {{ data.manifest.dataset }}</h3>
<p class="faint">Manifest {{ data.manifest.sha256 }}.
{% if data.others %}These are not the data of
{{ data.others | join(', ') }}.{% else %}No stage names other data.
{% endif %}</p>
<div class="scroll"><table>
<tr><th>split</th><th>clips</th><th>speakers</th><th>shards</th><th>MB</th></tr>
{% for split in data.splits %}
<tr><td>{{ split.name }}</td><td>{{ '{:,}'.format(split.records) }}</td>
<td>{{ split.speakers }}</td><td>{{ split.shards }}</td>
<td>{{ '%.1f' % split.mb }}</td></tr>
{% endfor %}
</table></div>
{% endif %}
{% for stage in stages %}
{{ show(stage) }}
{% endfor %}
{% for item in evaluations %}
<div id="evaluation-{{ loop.index }}">{{ evaluation(item) }}</div>
{% endfor %}
{% endblock %}
"""
