"""One value for one thing: quantities that several pages, stored tables and the shipped model's card tell, compared.

A page is read as it was saved: the outputs of its notebook. Two sayings agree where neither differs from the other by
more than its own rounding."""
import html, json, re
from pathlib import Path
import pandas as pd, pytest

root = Path(__file__).resolve().parent.parent

def page(name):
    "What a notebook's outputs say, as text"
    cells = json.loads((root/f'nbs/{name}.ipynb').read_text(encoding='utf-8'))['cells']
    outputs = [o for c in cells for o in c.get('outputs', [])]
    return '\n'.join(map(_said, outputs))

def _said(output):
    "One output as text"
    data = output.get('data', {})
    if 'text/html' in data: return html.unescape(re.sub('<[^>]+>', ' ', ''.join(data['text/html'])))
    return ''.join(data.get('text/markdown') or data.get('text/plain') or output.get('text', ''))

def card(): return (root/'fad/assets/model_card.md').read_text(encoding='utf-8').replace('\\', '')

def reliability(column):
    return pd.read_csv(root/'fad/assets/reliability.csv', index_col='feature')[column]['mouth_corner_height']

def real(name, key):
    table = pd.read_csv(root/'data/real_faces.csv')
    return table.value[table['set'].eq(name) & table.topic.eq('weakness') & table.name.eq(key)].iloc[0]

def clips(): return pd.read_csv(root/'data/real_clips.csv')

def detectable(column): # mm
    from fad.faces.measures import PUPILS_MM, catalog
    return PUPILS_MM*catalog().set_index('name')[column]['mouth_corner_height']

def measures():
    from fad.faces.measures import FEATURES
    return len(FEATURES)

N = r'([-+]?[\d.]*\d)'
OWN, CARD, FRONT = '03_classifiers', 'models/06_cards', 'index'
# quantity: sayings; (page, pattern with one group, factor), or a function that computes or reads the number
AGREE = {
    'AUC of weakness': [(OWN, rf'told from none with an AUC of {N} '), (CARD, rf'- weakness: AUC {N} '),
        (card, rf'- weakness: AUC {N} ')],
    'AUC of central against peripheral': [(OWN, rf'Central against peripheral: {N} \('),
        (CARD, rf'- central: AUC {N} '), (card, rf'- central: AUC {N} ')],
    'AUC of risk': [(OWN, rf'Stroke against everybody else: {N} \('), (CARD, rf'- risk: AUC {N} '),
        (card, rf'- risk: AUC {N} ')],
    'sensitivity at 90 % specificity': [(OWN, rf'Where one healthy face in ten is marked, {N} '),
        (CARD, rf'weakness: AUC [^;]*; at 90 % specificity it marks {N} '),
        (card, rf'weakness: AUC [^;]*; at 90 % specificity it marks {N} ')],
    'people learned from': [(OWN, r'\*\*(\d+) simulated people'), (CARD, r'(\d+) simulated people'),
        (card, r'(\d+) simulated people'), ('02_distributions', r'\*\*(\d+) simulated people')],
    'exchanges of labels': [(OWN, r'that (\d+) exchanges allow'), (card, r'of (\d+) exchanges')],
    'AUC of the best measure, stroke': [('02_distributions', rf'[Ss]troke against everybody else: [^*]* AUC of {N} '),
        ('02_distributions', rf'mouth tilt: larger in stroke, .*?, AUC {N},')],
    'gain of the mouth corners': [('01_landmarks', rf'corners of the mouth {N} %'),
        (FRONT, rf'in simulated people {N}%'), lambda: 100*reliability('gain'),
        ('proof/01_reliability', rf'The gain leaves {N} of each', 100)],
    'smallest change of the mouth corners': [('01_landmarks', rf'A change of less than {N} mm'),
        lambda: detectable('detectable')],
    'measures': [(FRONT, r'(\d+) measures'), ('models/06_cards', r'best of (\d+) measures'), measures],
    'AUC on TeleStroke': [(FRONT, rf'calls stroke or normal with an AUC of {N} '), lambda: real('TeleStroke', 'AUC'),
        ('proof/07_real', rf'told apart with an AUC of {N} ')],
    'specificity on public figures': [(FRONT, rf'of healthy public figures {N} %'),
        lambda: 100*real('public figures', 'specificity'), ('proof/07_real', rf'in any pose and expression, {N} %')],
    'falls found in real clips': [(FRONT, r'marked within 2 s in (\d+);'),
        ('05_temporal_trends', r'2 s in (\d+) of \d+\*\*'),
        ('clips/08_bedside', r'is marked within 2 s in (\d+) of'),
        lambda: clips().query('droop_mm == 5').delay_s.le(2).sum()],
    'falls marked in calm people': [('05_temporal_trends', rf'of calm simulated people in {N}%'),
        ('clips/08_bedside', rf'within 2 s in {N}% \([^)]*\) of calm people')],
    'false events in real clips': [(FRONT, r'the clips have (\d+|no) false'),
        ('05_temporal_trends', r'they have (\d+|no) false event'),
        ('clips/08_bedside', r'minutes in all, gave (\d+|none)'),
        lambda: clips().query('droop_mm == 0').mouth_events.sum()]}

def told(saying):
    "The number of a saying, and half a unit of its last digit"
    if callable(saying): return float(saying()), 0.
    where, pattern, *scale = saying
    text = where() if callable(where) else page(where)
    found = next((g for m in re.finditer(pattern, text, re.S) for g in m.groups() if g), None)
    assert found, f'{where} no longer says {pattern}'
    found = dict(no='0', none='0').get(found, found)
    scale, decimals = (scale or [1])[0], len(found.partition('.')[2])
    return scale*float(found), scale*.5*10.**-decimals

@pytest.mark.parametrize('quantity', AGREE)
def test_numbers_agree(quantity):
    "Whoever tells this number tells the same"
    said = [told(saying) for saying in AGREE[quantity]]
    (first, half), *others = said
    assert all(abs(value-first) <= half+own+1e-9 for value, own in others), said
