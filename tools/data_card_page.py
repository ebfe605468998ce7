"""The page that tools/data_card fills in: no script, nothing from elsewhere."""

TEMPLATE = """{% extends 'page' %}
{% block title %}Data card: {{ manifest.dataset }}{% endblock %}
{% block style %}
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem; }
.bars { display: flex; align-items: flex-end; gap: 3px; height: 8rem;
  border-bottom: 1px solid var(--line); }
.bar { flex: 1; max-width: 4rem; background: var(--bar); min-height: 1px; }
.labels { display: flex; gap: 3px; font-size: .7rem; }
.labels span { flex: 1; max-width: 4rem; overflow: hidden; }
.faces { display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); }
@media (max-width: 40rem) { .pair { grid-template-columns: 1fr; } }
{% endblock %}
{% macro chart(title, bars, unit) %}
<div>
<h2>{{ title }}</h2>
{% if bars %}
<div class="bars" role="img" aria-label="{{ title }}">
{% for b in bars %}
<div class="bar" style="height:{{ b.share }}%"
 title="from {{ b.label }} {{ unit }}: {{ b.count }}"></div>
{% endfor %}
</div>
<div class="labels faint">
{% for b in bars %}<span>{{ b.label }}</span>{% endfor %}
</div>
<div class="faint">{{ unit }}, lower end of each bar</div>
{% else %}
<p class="faint">unknown</p>
{% endif %}
</div>
{% endmacro %}
{% block body %}
<h1>{{ manifest.dataset }}</h1>
<p class="faint">{{ '{:,}'.format(records) }} clips of
{{ '{:,}'.format(speakers) }} speakers, {{ '%.2f' % hours }} hours of voice
{%- if seen < records %} in the {{ '{:,}'.format(seen) }} clips looked at
{%- endif %}, {{ '%.1f' % (size / 1e6) }} MB; frames
{{ manifest.image_size }} x {{ manifest.image_size }}, at most
{{ manifest.frames_per_clip }} a clip; {{ '{:,}'.format(manifest.rejected) }}
clips refused.<br>
Preprocessing {{ manifest.preprocess }}, manifest
{{ manifest.sha256[:16] }}&hellip;</p>
<h2>Splits</h2>
<table>
<tr><th>split</th><th>clips</th><th>speakers</th><th>female</th><th>male</th>
<th>unknown</th><th>videos</th><th>frames</th><th>hours</th></tr>
{% for s in splits %}
<tr><td>{{ s.name }}</td><td>{{ '{:,}'.format(s.records) }}</td>
<td>{{ s.speakers | length }}</td>
{% for count in s.genders().values() %}<td>{{ count }}</td>{% endfor %}
<td>{{ s.videos | length }}</td><td>{{ s.frames }}</td>
<td>{{ '%.2f' % (s.seconds | sum / 3600) }}</td></tr>
{% endfor %}
</table>
<p class="faint">{% if seen < records %}All but the clips are counted over
{{ '{:,}'.format(seen) }} of {{ '{:,}'.format(records) }} clips.
{% endif %}Speakers by gender over all splits:
{% for word, count in genders.items() %}{{ count }} {{ word
}}{{ '' if loop.last else ', ' }}{% endfor %}.</p>
<div class="pair">
{{ chart('Length of voices', durations, 'seconds') }}
{{ chart('Age of the speaker, per clip', ages, 'years') }}
</div>
<h2>Refused</h2>
{% if rejects %}
<table>
<tr><th>reason</th><th>clips</th></tr>
{% for reason, count in rejects %}
<tr><td>{{ reason }}</td><td>{{ count }}</td></tr>
{% endfor %}
</table>
{% else %}
<p class="faint">nothing</p>
{% endif %}
{% if samples %}
<h2>Faces</h2>
<div class="faces">
{% for face in samples %}
<figure><img src="{{ face.src }}" alt="{{ face.title }}">
<figcaption>{{ face.title }}<br><span class="faint">{{ face.split
}}</span></figcaption></figure>
{% endfor %}
</div>
{% endif %}
{% endblock %}
"""
